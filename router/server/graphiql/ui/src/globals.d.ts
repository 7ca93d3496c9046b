/** File names of the editor workers in dist/, filled in by build.mjs. */
declare const WORKER_FILES: { json: string; graphql: string; editor: string };

declare module '*.css';
declare module 'monaco-graphql/esm/monaco-editor.js';
