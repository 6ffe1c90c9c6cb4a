// Applies the commands on standard input; `test_map_edits_agree.py` compares with Python.

import {readFileSync} from 'node:fs';

import {apply, EditRefused, type Command, type MapDocument} from '../src/map/document.ts';

interface Case {
  document: MapDocument;
  commands: Command[];
}

const cases = JSON.parse(readFileSync(0, 'utf8')) as Case[];
const answers = cases.map(({document, commands}) => commands.map((command) => {
  try {
    const edited = apply(document, command);
    document = edited.document;
    return {document, at: edited.at};
  } catch (problem) {
    if (problem instanceof EditRefused) return {refused: problem.message, field: problem.field};
    throw problem;
  }
}));
console.log(JSON.stringify(answers));
