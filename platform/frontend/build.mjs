// The whole front-end build. Everything it writes is ignored by git.

import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

import {build} from 'vite';

import {writeFonts} from './fonts.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here('../checkride/ui/static/ui/built/');

await rm(out, {recursive: true, force: true});
await build({
  root: here('.'),
  configFile: false,
  logLevel: 'warn',
  resolve: {
    // Preact takes React's place under React Flow: the page stays within its budget of script.
    alias: {
      'react/jsx-runtime': 'preact/jsx-runtime',
      'react-dom/client': 'preact/compat/client',
      'react-dom': 'preact/compat',
      react: 'preact/compat',
    },
  },
  build: {
    outDir: out,
    emptyOutDir: false,
    target: 'es2022',
    modulePreload: false,
    rollupOptions: {
      input: {
        'prompt-editor': here('src/prompt-editor.js'),
        'map-editor': here('src/map-editor.ts'),
        // What the map editor fetches for itself; the page gives it their addresses.
        'map-canvas': here('src/map-canvas.ts'),
        'map-layout': here('src/map-layout.ts'),
      },
      // Plain names: Django's static files storage adds the digest.
      output: {entryFileNames: '[name].js', chunkFileNames: '[name].js', assetFileNames: '[name][extname]'},
      preserveEntrySignatures: 'strict',
    },
  },
});
const fonts = await writeFonts(out);
await writeFile(`${out}licences.txt`, await licences());
console.log(`prompt editor, map editor and ${fonts} font files written to platform/checkride/ui/static/ui/built/`);

for (const script of ['build-contexts.mjs', 'build-typefaces.mjs']) {
  // A part of the repository may be checked out without the credentials.
  if (!existsSync(here(script))) continue;
  const done = spawnSync(process.execPath, [here(script)], {stdio: 'inherit'});
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** The licences of everything that ends up in the built files; the packages ask to be named. */
async function licences() {
  const lock = JSON.parse(await readFile(here('package-lock.json'), 'utf8'));
  const texts = [];
  for (const [path, {version, license, dev}] of Object.entries(lock.packages)) {
    if (!path || dev) continue;
    const files = await readdir(here(`${path}/`));
    const file = files.find((name) => /^licen[cs]e/i.test(name));
    const text = file ? await readFile(here(`${path}/${file}`), 'utf8') : '';
    texts.push(`${path.replace('node_modules/', '')} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return texts.join('\n----\n\n');
}
