// Copies the three typefaces (all under the SIL Open Font License) and writes their @font-face rules.

import {copyFile, mkdir, readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);

const faces = [
  {package: 'source-sans-3', family: 'Source Sans 3', weights: '200 900', styles: ['normal', 'italic']},
  {package: 'source-serif-4', family: 'Source Serif 4', weights: '200 900', styles: ['normal', 'italic']},
  {package: 'jetbrains-mono', family: 'JetBrains Mono', weights: '100 800', styles: ['normal']},
];
const subsets = ['latin', 'latin-ext'];

/** Returns how many font files were written to `out`. */
export async function writeFonts(out) {
  await mkdir(out, {recursive: true});
  const rules = [];
  for (const face of faces) {
    const folder = dirname(require.resolve(`@fontsource-variable/${face.package}/package.json`));
    const ranges = JSON.parse(await readFile(join(folder, 'unicode.json'), 'utf8'));
    for (const style of face.styles) {
      for (const subset of subsets) {
        const file = `${face.package}-${subset}${style === 'italic' ? '-italic' : ''}.woff2`;
        await copyFile(join(folder, 'files', `${face.package}-${subset}-wght-${style}.woff2`), join(out, file));
        // `optional`: a page never changes its lines after it was shown.
        rules.push(
          `@font-face{font-family:"${face.family}";font-style:${style};font-weight:${face.weights};` +
            `font-display:optional;src:url("${file}") format("woff2");unicode-range:${ranges[subset]}}`,
        );
      }
    }
  }
  await writeFile(join(out, 'fonts.css'), rules.join('\n') + '\n');
  return rules.length;
}
