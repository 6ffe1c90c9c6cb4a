// Reads every BPMN file in a folder with libraries that share no code with ours.
//
//     node judge_bpmn.mjs FOLDER
//
// Prints one JSON object: for each file what bpmn-moddle warned of, how many elements the diagram
// places, and what bpmnlint reports by its recommended rules. The libraries are taken from
// platform/frontend/node_modules.

import {readdir, readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {argv} from 'node:process';
import {fileURLToPath, pathToFileURL} from 'node:url';

const frontend = fileURLToPath(new URL('../../../platform/frontend/', import.meta.url));
const require = createRequire(pathToFileURL(join(frontend, 'package.json')));
const load = async (name) => import(pathToFileURL(require.resolve(name)));

const {BpmnModdle} = await load('bpmn-moddle');
const Linter = require('bpmnlint/lib/linter');
const NodeResolver = require('bpmnlint/lib/resolver/node-resolver');

const folder = argv[2];
const verdicts = {};
for (const name of (await readdir(folder)).filter((file) => file.endsWith('.bpmn'))) {
  const moddle = new BpmnModdle();
  const {rootElement, warnings} = await moddle.fromXML(await readFile(join(folder, name), 'utf8'));
  const linter = new Linter({
    config: {extends: 'bpmnlint:recommended'},
    resolver: new NodeResolver({require}),
  });
  const reports = Object.values(await linter.lint(rootElement)).flat();
  const placed = rootElement.diagrams.flatMap((diagram) => diagram.plane.planeElement ?? []);
  verdicts[name] = {
    warnings: warnings.map((warning) => warning.message),
    placed: placed.length,
    errors: reports.filter((report) => report.category === 'error' || report.category === 'rule-error'),
    advice: reports.filter((report) => report.category === 'warn'),
  };
}
console.log(JSON.stringify(verdicts));
