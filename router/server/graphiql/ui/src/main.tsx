/** The page: GraphiQL with the router's fetcher, headers kept over reloads, and the plan panel under the result. */

import './workers';
// Static, though GraphiQL would load it on demand: one bundle, and the editor's styles stand before GraphiQL's.
import 'monaco-graphql/esm/monaco-editor.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';

import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { endpointUrl, linkedOperation, readConfig } from './config';
import { createFetcher } from './fetcher';
import { PlanPanel } from './plan_panel';
import { alignStoredEditors } from './session';

const config = readConfig(document);
const fetcher = createFetcher(endpointUrl(config, location));
const linked = linkedOperation(location);

function Page() {
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultQuery={config.defaultQuery}
      defaultHeaders={JSON.stringify(config.defaultHeaders, null, 2)}
      defaultEditorToolsVisibility="headers"
      shouldPersistHeaders
      inputValueDeprecation
      schemaDescription
      {...linked}
    >
      <GraphiQL.Logo>
        <span className="page-name">GraphiQL</span>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <PlanPanel />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

/** The editor measures its characters once, when it is made: the font has to be there before. */
async function start(root: HTMLElement): Promise<void> {
  alignStoredEditors(localStorage);
  // The link has been followed: from now on a reload brings back what the tabs hold.
  history.replaceState(null, '', location.pathname);
  await document.fonts.load('15px "Fira Code"').catch(() => undefined); // any other monospace font does too
  createRoot(root).render(<Page />);
}

const root = document.getElementById('graphiql');
if (root === null) throw new Error('The page has no element "graphiql"');
void start(root);
