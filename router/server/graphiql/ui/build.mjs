/**
 * Builds ../dist from src/ and static/: what the router serves below `…/graphiql/`.
 *
 *     node build.mjs           writes ../dist
 *     node build.mjs --check   exits with 1 when ../dist is not what this source builds
 *
 * The output is the same byte for byte for the same package-lock.json: names carry a hash of the content, nothing carries
 * a time or a path of this machine.
 */

import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { thirdPartyLicences } from './licences.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, '..', 'dist');

const WORKERS = {
  json: 'monaco-editor/esm/vs/language/json/json.worker.js',
  graphql: 'monaco-graphql/esm/graphql.worker.js',
  editor: 'monaco-editor/esm/vs/editor/editor.worker.js',
};

const OPTIONS = {
  absWorkingDir: HERE,
  outdir: DIST,
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  charset: 'utf8',
  legalComments: 'none', // all of them, in full, are in THIRD-PARTY-LICENSES.txt
  target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.ttf': 'file', '.woff2': 'file' },
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
};

/** Runs esbuild; the files by name, and for each kind of entry point the name its output got. */
async function bundle(options) {
  const result = await build({ ...OPTIONS, ...options });
  const files = new Map(result.outputFiles.map((file) => [basename(file.path), file.contents]));
  return { files, inputs: Object.keys(result.metafile.inputs) };
}

/** `main-ABCD1234.js` is the output of the entry point called `main`. */
function outputOf(files, entry, extension = '.js') {
  const names = [...files.keys()].filter(
    (name) => extname(name) === extension && name.replace(/-[A-Z0-9]{8}\.\w+$/, '') === entry,
  );
  if (names.length !== 1) throw new Error(`Expected one ${entry}-*${extension}, got: ${names}`);
  return names[0];
}

async function buildWorkers() {
  const entryPoints = Object.entries(WORKERS).map(([label, path]) => ({ in: path, out: `${label}-worker` }));
  const { files, inputs } = await bundle({ entryPoints, format: 'iife' });
  const names = Object.fromEntries(
    Object.keys(WORKERS).map((label) => [label, outputOf(files, `${label}-worker`)]),
  );
  return { files, inputs, names };
}

async function buildPage(workerNames) {
  return bundle({
    entryPoints: [{ in: 'src/main.tsx', out: 'main' }],
    format: 'esm',
    jsx: 'automatic',
    define: { ...OPTIONS.define, WORKER_FILES: JSON.stringify(workerNames) },
  });
}

function hashed(name, contents) {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 8).toUpperCase();
  return `${basename(name, extname(name))}-${hash}${extname(name)}`;
}

async function indexHtml(names) {
  const template = await readFile(join(HERE, 'static', 'index.html'), 'utf8');
  return template.replaceAll(/\{\{([\w.]+)\}\}/g, (_, name) => names[name]);
}

/** Everything that belongs into dist, by name. */
async function buildAll() {
  const workers = await buildWorkers();
  const page = await buildPage(workers.names);
  const favicon = await readFile(join(HERE, 'static', 'favicon.svg'));
  const names = {
    'main.js': outputOf(page.files, 'main'),
    'main.css': outputOf(page.files, 'main', '.css'),
    'favicon.svg': hashed('favicon.svg', favicon),
  };
  return new Map([
    ...workers.files,
    ...page.files,
    [names['favicon.svg'], favicon],
    ['index.html', Buffer.from(await indexHtml(names))],
    [
      'THIRD-PARTY-LICENSES.txt',
      Buffer.from(await thirdPartyLicences(HERE, [...workers.inputs, ...page.inputs])),
    ],
  ]);
}

async function write(files) {
  await rm(DIST, { recursive: true, force: true });
  await mkdir(DIST, { recursive: true });
  await Promise.all([...files].map(([name, contents]) => writeFile(join(DIST, name), contents)));
}

/** The names of the files that differ between `files` and dist, on either side. */
async function differences(files) {
  const present = await readdir(DIST).catch(() => []);
  const names = [...new Set([...present, ...files.keys()])].sort();
  const same = await Promise.all(
    names.map(async (name) => {
      if (!files.has(name) || !present.includes(name)) return false;
      return Buffer.compare(await readFile(join(DIST, name)), Buffer.from(files.get(name))) === 0;
    }),
  );
  return names.filter((_, index) => !same[index]);
}

function report(files) {
  const total = [...files.values()].reduce((sum, contents) => sum + contents.length, 0);
  for (const name of [...files.keys()].sort()) {
    console.log(`${String(files.get(name).length).padStart(9)}  ${name}`);
  }
  console.log(`${String(total).padStart(9)}  in ${relative(process.cwd(), DIST) || DIST}`);
}

const files = await buildAll();
if (process.argv.includes('--check')) {
  const changed = await differences(files);
  if (changed.length > 0) {
    console.error(`dist is not what the source builds (run "npm run build"): ${changed.join(', ')}`);
    process.exitCode = 1;
  }
} else {
  await write(files);
  report(files);
}
