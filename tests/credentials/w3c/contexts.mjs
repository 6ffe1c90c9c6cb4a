// Writes the contexts that the W3C suites use, out of the packages installed beside them.
//
//   node contexts.mjs FOLDER_OF_SUITES > contexts.json

import {createRequire} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const [folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(folder, 'vc-di-eddsa-test-suite/package.json')));
const load = name => import(pathToFileURL(require.resolve(name)));

const found = {
  // Served by the W3C for examples: it gives every unknown term an address.
  'https://www.w3.org/ns/credentials/examples/v2':
    {'@context': {'@vocab': 'https://www.w3.org/ns/credentials/examples#'}},
};
const named = await load('@digitalbazaar/credentials-context');
const contexts = named.contexts ?? named.default.contexts;
for(const [address, context] of contexts) {
  found[address] = context;
}
for(const name of ['@digitalbazaar/data-integrity-context', '@digitalbazaar/multikey-context']) {
  const {default: one, ...rest} = await load(name);
  const {constants, CONTEXT_URL, CONTEXT} = one ?? rest;
  found[CONTEXT_URL ?? constants.CONTEXT_URL] = CONTEXT ?? one.CONTEXT;
}
console.log(JSON.stringify(found));
