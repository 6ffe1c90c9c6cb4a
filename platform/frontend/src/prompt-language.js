// What stands out in a prompt: headings, {{variables}}, <tags>, list markers and `code`.
// Colour only; how a prompt is graded is decided by the server's reader, never here.

import {StreamLanguage} from '@codemirror/language';
import {tags} from '@lezer/highlight';

const atoms = [
  [/^\{\{[^{}\n]{0,80}\}\}/, 'variable'],
  [/^<\/?[A-Za-z][\w-]{0,40}(\s[^<>\n]{0,200})?\/?>/, 'tag'],
  [/^`[^`\n]{1,200}`/, 'code'],
];

export const promptLanguage = StreamLanguage.define({
  name: 'prompt',
  startState: () => ({fenced: false}),
  copyState: (state) => ({...state}),
  token(stream, state) {
    if (stream.sol()) {
      if (stream.match(/^\s*```/)) {
        state.fenced = !state.fenced;
        stream.skipToEnd();
        return 'code';
      }
      if (state.fenced) {
        stream.skipToEnd();
        return 'code';
      }
      if (stream.match(/^#{1,6}\s/)) {
        stream.skipToEnd();
        return 'heading';
      }
      if (stream.match(/^\s*([-*+]|\d{1,3}[.)])\s/)) return 'list';
    }
    for (const [pattern, token] of atoms) {
      if (stream.match(pattern)) return token;
    }
    stream.next();
    stream.eatWhile(/[^{<`]/);
    return null;
  },
  tokenTable: {
    heading: tags.heading,
    variable: tags.variableName,
    tag: tags.tagName,
    list: tags.list,
    code: tags.monospace,
  },
});
