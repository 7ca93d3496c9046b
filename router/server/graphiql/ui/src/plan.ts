/**
 * Reads the router's account of how it ran an operation out of a response. The extensions are optional and a response
 * may come from anywhere, so whatever does not have the expected shape is left out.
 */

/** One request to one subgraph. */
export interface FetchTiming {
  id: string;
  subgraph: string;
  /** Milliseconds from the beginning of the execution until it was sent; undefined when the router did not say. */
  start: number | undefined;
  /** Milliseconds that it took; undefined when the router did not say. */
  ms: number | undefined;
  /** How many entities were asked for; undefined for a fetch of root fields. */
  entities: number | undefined;
  /** What went wrong with the request; undefined when it was answered. */
  failure: string | undefined;
}

export interface ExecutedPlan {
  fetches: FetchTiming[];
  /** The plan in the router's text form, "" when it was not sent. */
  text: string;
}

/** The plan of a response as shown in the result editor; undefined when there is none. */
export function readPlan(response: string | null | undefined): ExecutedPlan | undefined {
  const extensions = asRecord(asRecord(parseJson(response))?.extensions);
  if (extensions === undefined) return undefined;
  const fetches = Array.isArray(extensions.fetches) ? extensions.fetches.flatMap(readFetch).sort(byStart) : [];
  const text = readPlanText(extensions.plan);
  return fetches.length > 0 || text !== '' ? { fetches, text } : undefined;
}

function readFetch(value: unknown, index: number): FetchTiming[] {
  const fetch = asRecord(value);
  if (typeof fetch?.subgraph !== 'string') return [];
  return [
    {
      id: String(fetch.id ?? index),
      subgraph: fetch.subgraph,
      start: asNumber(fetch.start),
      ms: asNumber(fetch.ms),
      entities: asNumber(fetch.entities) || undefined,
      failure: failureOf(asNumber(fetch.status)),
    },
  ];
}

function byStart(one: FetchTiming, other: FetchTiming): number {
  return (one.start ?? 0) - (other.start ?? 0);
}

/** `status` is that of the HTTP response, 0 when there was none. */
function failureOf(status: number | undefined): string | undefined {
  if (status === undefined || (status >= 200 && status < 300)) return undefined;
  return status === 0 ? 'no answer' : `HTTP ${status}`;
}

function readPlanText(plan: unknown): string {
  if (typeof plan === 'string') return plan.trim();
  return asRecord(plan) === undefined ? '' : JSON.stringify(plan, null, 2);
}

function parseJson(text: string | null | undefined): unknown {
  if (!text?.includes('"extensions"')) return undefined; // most responses: spares parsing them
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
