/** Collects the licence texts of the packages that a bundle was made of. */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|notice|copying|thirdpartynotices)/i;
const RULE = '-'.repeat(100);

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** `node_modules/@scope/name/…` or `node_modules/name/…`, nested ones included: the package's folder. */
function packageFolder(input) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}

async function licenceText(folder) {
  const names = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort();
  const texts = await Promise.all(names.map((file) => readFile(join(folder, file), 'utf8')));
  return texts.map((text) => text.replaceAll('\r\n', '\n').trim()).join('\n\n');
}

async function readPackage(root, folder) {
  const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
  return {
    title: `${manifest.name} ${manifest.version} (${manifest.license})`,
    manifest,
    text: await licenceText(join(root, folder)),
  };
}

/** Packages published without their licence's text -> a package out of the same repository that brings it along. */
const TEXT_FROM = new Map([
  ['@graphiql/plugin-doc-explorer', 'graphiql'],
  ['@graphiql/plugin-history', 'graphiql'],
  ['react-compiler-runtime', 'react'],
]);

function missingText({ title, manifest }, packages) {
  const sibling = packages.find((other) => other.manifest.name === TEXT_FROM.get(manifest.name));
  if (sibling) return sibling.text;
  const author = manifest.author?.name ?? manifest.author;
  if (manifest.license !== 'MIT' || !author) throw new Error(`No licence text for ${title}`);
  return `MIT License\n\nCopyright (c) ${author}\n\n${MIT}`;
}

/** One text for all packages among `inputs` (paths relative to `root`); packages with the same licence text share it. */
export async function thirdPartyLicences(root, inputs) {
  const folders = [...new Set(inputs.map(packageFolder).filter(Boolean))].sort();
  const packages = await Promise.all(folders.map((folder) => readPackage(root, folder)));
  const titlesByText = new Map();
  for (const found of packages) {
    const text = found.text || missingText(found, packages);
    titlesByText.set(text, (titlesByText.get(text) ?? new Set()).add(found.title));
  }
  const entries = [...titlesByText].map(([text, titles]) => `${[...titles].sort().join('\n')}\n\n${text}`);
  const head = 'The files in this folder contain the following packages.';
  return `${[head, ...entries.sort()].join(`\n\n${RULE}\n`)}\n`;
}
