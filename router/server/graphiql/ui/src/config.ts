/**
 * What the page starts with: built-in defaults, then what the server put into `<meta name="graphiql-config">`, then
 * the page's own address (`?query=…&variables=…`, so that an example can be sent as a link).
 */

export interface PageConfig {
  /** Where operations go; relative to the page. The page lives at the GraphQL endpoint itself. */
  endpoint: string;
  /** Shown when neither the address nor the browser's storage has a query. */
  defaultQuery: string;
  /** The headers editor's content in a new tab. */
  defaultHeaders: Record<string, string>;
}

/** GraphiQL's properties for the operation that the page's address asks for; none of them when it asks for none. */
export interface LinkedOperation {
  initialQuery?: string;
  initialVariables?: string;
}

const DEFAULT_QUERY = `# Ctrl-Enter (Cmd-Enter) runs an operation,
# Ctrl-Space completes, the book on the left is the schema.
# Your access token goes into "Headers" below:
#   {"authorization": "Bearer …"}
# It is sent over HTTP and, for subscriptions, WebSocket.

query WhatIsThere {
  __schema {
    queryType {
      fields {
        name
        description
      }
    }
  }
}
`;

const DEFAULTS: PageConfig = {
  endpoint: '',
  defaultQuery: DEFAULT_QUERY,
  // Asks the router for the query plan and the timings that the plan panel shows.
  defaultHeaders: { 'x-router-debug': '1' },
};

/** The page's settings. A malformed meta element is reported on the console and otherwise ignored. */
export function readConfig(page: Document): PageConfig {
  const content = page.querySelector<HTMLMetaElement>('meta[name="graphiql-config"]')?.content;
  return { ...DEFAULTS, ...(content ? parseConfig(content) : {}) };
}

function parseConfig(content: string): Partial<PageConfig> {
  try {
    const config: unknown = JSON.parse(content);
    if (typeof config === 'object' && config !== null) return config;
    throw new TypeError('not a JSON object');
  } catch (error) {
    console.error('The graphiql-config meta element was ignored:', error);
    return {};
  }
}

/** The endpoint as an absolute URL, without the page's own query string and fragment. */
export function endpointUrl(config: PageConfig, address: Location): URL {
  const url = new URL(config.endpoint, address.href);
  url.search = '';
  url.hash = '';
  return url;
}

/** The operation in the page's address. */
export function linkedOperation(address: Location): LinkedOperation {
  const parameters = new URLSearchParams(address.search);
  const initialQuery = parameters.get('query');
  if (initialQuery === null) return {};
  return { initialQuery, initialVariables: parameters.get('variables') ?? '' };
}
