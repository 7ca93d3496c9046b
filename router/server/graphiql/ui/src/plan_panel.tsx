/**
 * The panel under the result: which subgraphs were asked, when, for how many entities, how long each took, and the query plan.
 * It reads the result editor's own text, so it always belongs to what is shown, in every tab and for every event.
 */

import { useGraphiQL } from '@graphiql/react';
import { useMemo } from 'react';
import { readPlan } from './plan';
import type { FetchTiming } from './plan';

export function PlanPanel() {
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response);
  const plan = useMemo(() => readPlan(response), [response]);
  if (plan === undefined) return null;

  return (
    <section className="plan-panel" aria-label="Query plan">
      <h2>
        Query plan <span className="plan-summary">{summary(plan.fetches)}</span>
      </h2>
      {plan.fetches.length > 0 && <FetchTable fetches={plan.fetches} />}
      {plan.text !== '' && (
        <details open={plan.fetches.length === 0}>
          <summary>Plan</summary>
          <pre>{plan.text}</pre>
        </details>
      )}
    </section>
  );
}

function FetchTable({ fetches }: { fetches: FetchTiming[] }) {
  const end = Math.max(...fetches.map(endOf)) || 1;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Fetch</th>
          <th scope="col">Subgraph</th>
          <th scope="col">Entities</th>
          <th scope="col">ms</th>
          <th scope="col" aria-hidden="true" />
        </tr>
      </thead>
      <tbody>
        {fetches.map((fetch, index) => (
          <tr key={index} data-subgraph={fetch.subgraph}>
            <td>{fetch.id}</td>
            <td>
              {fetch.subgraph}
              {fetch.failure !== undefined && <span className="plan-failure"> {fetch.failure}</span>}
            </td>
            <td className="plan-number">{fetch.entities ?? ''}</td>
            <td className="plan-number">{fetch.ms?.toFixed(1) ?? ''}</td>
            <td className="plan-bar" aria-hidden="true">
              <div style={{ marginLeft: share(fetch.start, end), width: share(fetch.ms, end) }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function endOf(fetch: FetchTiming): number {
  return (fetch.start ?? 0) + (fetch.ms ?? 0);
}

/** A length in the picture: what waits for something stands to the right of it. */
function share(ms: number | undefined, end: number): string {
  return `${(100 * (ms ?? 0)) / end}%`;
}

function summary(fetches: FetchTiming[]): string {
  if (fetches.length === 0) return '';
  const subgraphs = new Set(fetches.map((fetch) => fetch.subgraph)).size;
  return `${counted(fetches.length, 'fetch', 'es')} to ${counted(subgraphs, 'subgraph', 's')}`;
}

function counted(count: number, noun: string, plural: string): string {
  return `${count} ${noun}${count === 1 ? '' : plural}`;
}
