// What the verifier of the Digital Credentials Consortium says about the files in a folder.
//
//   node dcc.mjs FOLDER
//
// It would ask the issuer's host for keys and list, and 1EdTech for the context of learner records.
// Here every request is answered from did.json and status-list.json of the folder and the contexts
// of this repository, and anything else is refused, so that nothing leaves the machine.

import {createRequire} from 'node:module';
import {readFile, readdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

const [folder] = process.argv.slice(2);
const read = async name => JSON.parse(await readFile(join(folder, name), 'utf8'));
const [did, list] = [await read('did.json'), await read('status-list.json')];
const here = dirname(fileURLToPath(import.meta.url));
const CLR = 'https://purl.imsglobal.org/spec/clr/v2p0/context.json';
const learnerRecord = JSON.parse(
  await readFile(join(here, '../../../credentials/openbadges/contexts/clr-v2p0.json'), 'utf8'));
const asked = [];

globalThis.fetch = async request => {
  const address = typeof request === 'string' ? request : request.url ?? String(request);
  asked.push(address);
  const found = address.endsWith('/.well-known/did.json') ? did :
    address === list.id ? list : address === CLR ? learnerRecord : undefined;
  return new Response(JSON.stringify(found ?? {}), {
    status: found ? 200 : 404, headers: {'Content-Type': 'application/json'},
  });
};

const modules = join(here, '../../../platform/frontend/node_modules');
// The package names no entry for `require`, so it is imported by its file.
const {verifyCredential} = await import(
  pathToFileURL(join(modules, '@digitalcredentials/verifier-core/dist/index.js')));

const names = (await readdir(folder)).filter(name => name.endsWith('.json')).sort();
const found = {};
for(const name of names) {
  if(['did.json', 'status-list.json'].includes(name)) {
    continue;
  }
  let credential;
  try {
    credential = await read(name);
  } catch{
    found[name] = {fatal: ['not JSON'], steps: {}};
    continue;
  }
  const result = await verifyCredential({credential, knownDIDRegistries: []});
  const steps = Object.fromEntries((result.log ?? []).map(({id, valid}) => [id, valid ?? false]));
  found[name] = {fatal: (result.errors ?? []).map(({name: kind, message}) => kind ?? message), steps};
}
console.log(JSON.stringify({found, asked: [...new Set(asked)]}, null, 1));
