/**
 * How operations reach the router: queries and mutations over HTTP (single answers and `multipart/mixed`), subscriptions
 * over WebSocket with the `graphql-transport-ws` protocol, to the same URL.
 */

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import type { Fetcher, FetcherParams, Observable } from '@graphiql/toolkit';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import type { ExecutionResult } from 'graphql-ws';

type Headers = Record<string, unknown>;

/** What GraphiQL passes to `subscribe`; the toolkit's type has older forms of the call beside it. */
interface Sink {
  next(result: ExecutionResult): void;
  error(error: unknown): void;
  complete(): void;
}

const PING_EVERY_MS = 15_000; // notices a connection that died without a word

/** GraphiQL's fetcher for one endpoint. */
export function createFetcher(endpoint: URL): Fetcher {
  const overHttp = createGraphiQLFetcher({ url: endpoint.href });
  return (params, options) => {
    const operation = findOperation(params);
    const request = operation ? { ...params, operationName: operation.name?.value ?? null } : params;
    return operation?.operation === 'subscription'
      ? overWebSocket(webSocketUrl(endpoint), request, options?.headers ?? {})
      : overHttp(request, options);
  };
}

/**
 * The operation to run; undefined when the router has to say what is wrong. GraphiQL looks at the document a moment after
 * the last key, so the name it gives may be of an operation that is no longer there.
 */
function findOperation({ query, operationName }: FetcherParams) {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? undefined;
  } catch {
    return undefined; // a syntax error
  }
}

function webSocketUrl(endpoint: URL): string {
  const url = new URL(endpoint);
  url.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/**
 * The payload of `connection_init`. A browser cannot set headers on a WebSocket, so the headers editor's content goes
 * here, names in lower case: all of it in `headers`, and the token in `authorization` where servers look for it first.
 */
export function connectionParams(headers: Headers): Record<string, unknown> {
  const lowered = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const { authorization } = lowered;
  return { ...(authorization !== undefined && { authorization }), headers: lowered };
}

/** One connection per running subscription: it carries the headers as they are now. */
function overWebSocket(url: string, params: FetcherParams, headers: Headers) {
  const { query, operationName, variables } = params;

  function subscribe(sink: Sink) {
    const client = createClient({
      url,
      connectionParams: connectionParams(headers),
      keepAlive: PING_EVERY_MS,
    });
    let stopped = false; // by the stop button: GraphiQL may already be running the next operation
    const cancel = client.subscribe(
      { query, operationName, variables },
      {
        next: (result) => stopped || sink.next(result as ExecutionResult),
        error: (error) => stopped || sink.error(readableError(error)),
        complete: () => stopped || sink.complete(),
      },
    );
    return {
      unsubscribe() {
        stopped = true;
        cancel();
      },
    };
  }

  return { subscribe } as Observable<ExecutionResult>;
}

/** Browsers report WebSocket trouble as events, which would be printed as `{"isTrusted": true}`. */
function readableError(error: unknown): unknown {
  if (error instanceof CloseEvent) {
    return new Error(`The WebSocket was closed: ${error.code} ${error.reason}`.trim());
  }
  return error instanceof Event ? new Error('The WebSocket connection failed') : error;
}
