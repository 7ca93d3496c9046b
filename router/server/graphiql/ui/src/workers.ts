/**
 * Tells Monaco where its web workers are: files beside this bundle, so that `worker-src 'self'` is enough
 * (Monaco's usual `blob:` wrappers are not needed). Must be imported before any editor is made.
 */

import type {} from 'monaco-editor'; // declares MonacoEnvironment

function workerFile(label: string): string {
  switch (label) {
    case 'json':
      return WORKER_FILES.json;
    case 'graphql':
      return WORKER_FILES.graphql;
    default:
      return WORKER_FILES.editor;
  }
}

self.MonacoEnvironment = {
  getWorker(_moduleId: string, label: string): Worker {
    return new Worker(new URL(workerFile(label), import.meta.url), { name: label });
  },
};
