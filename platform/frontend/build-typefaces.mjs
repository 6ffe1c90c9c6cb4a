// Copies the typefaces that certificates are set in (all under the SIL Open Font License) to
// credentials/typefaces/, with an index that says which file holds which characters. They are other
// people's files, so they are not in the repository. A certificate loads only what its words need.

import {copyFile, mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('../../credentials/typefaces/', import.meta.url));

// In the order in which a character looks for its typeface. `all` takes every slice of a large
// typeface; elsewhere only the script is wanted, since Source Serif sets the rest.
const faces = [
  {name: 'source-serif-4', use: 'serif', weights: '200 900', all: true},
  {name: 'source-sans-3', use: 'sans', weights: '200 900', all: true},
  {name: 'jetbrains-mono', use: 'mono', weights: '100 800', only: ['latin', 'latin-ext']},
  {name: 'noto-naskh-arabic', use: 'serif', weights: '400 700', only: ['arabic']},
  {name: 'noto-serif-hebrew', use: 'serif', weights: '100 900', only: ['hebrew']},
  {name: 'noto-serif-devanagari', use: 'serif', weights: '100 900', only: ['devanagari']},
  {name: 'noto-serif-jp', use: 'serif', weights: '200 900', all: true, language: 'ja'},
  {name: 'noto-serif-sc', use: 'serif', weights: '200 900', all: true, language: 'zh'},
  {name: 'noto-serif-kr', use: 'serif', weights: '200 900', all: true, language: 'ko'},
];

/** `U+0-FF,U+131` as pairs of numbers, both ends within. */
function pairs(text) {
  return text.split(',').map((part) => {
    const [start, end] = part.trim().replace(/^U\+/i, '').split('-');
    return [parseInt(start, 16), parseInt(end ?? start, 16)];
  });
}

await rm(folder, {recursive: true, force: true});
await mkdir(folder, {recursive: true});
const index = [];
for (const face of faces) {
  const source = dirname(require.resolve(`@fontsource-variable/${face.name}/package.json`));
  const ranges = JSON.parse(await readFile(join(source, 'unicode.json'), 'utf8'));
  for (const [subset, range] of Object.entries(ranges)) {
    // The slices of large typefaces are called `[0]`, `[1]` and so on, their files `0`, `1`.
    const slice = subset.replace(/[[\]]/g, '');
    if (!face.all && !face.only.includes(slice)) continue;
    const file = `${face.name}-${slice}.woff2`;
    await copyFile(join(source, 'files', `${face.name}-${slice}-wght-normal.woff2`), join(folder, file));
    const {use, weights, language = ''} = face;
    index.push({file, use, weights, language, ranges: pairs(range)});
  }
}
await writeFile(join(folder, 'index.json'), JSON.stringify(index) + '\n');
console.log(`${index.length} typeface files written to credentials/typefaces/`);
