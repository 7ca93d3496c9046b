/**
 * Keeps the open tabs over reloads. GraphiQL stores them, but apart from them also the text that each editor held last,
 * and only if that was edited. Where the two differ (headers edited, query not) it would open a new, empty tab.
 */

const EDITORS = ['query', 'variables', 'headers'] as const;
const PREFIX = 'graphiql:';

/** Makes the stored texts those of the tab that was active. Before GraphiQL is made. */
export function alignStoredEditors(storage: Storage): void {
  const tab = activeTab(storage.getItem(`${PREFIX}tabState`));
  if (tab === undefined) return; // the first visit
  for (const editor of EDITORS) {
    const text = tab[editor];
    if (typeof text === 'string') storage.setItem(PREFIX + editor, text);
    else storage.removeItem(PREFIX + editor);
  }
}

function activeTab(stored: string | null): Record<string, unknown> | undefined {
  try {
    const { tabs, activeTabIndex } = JSON.parse(stored ?? '{}');
    return tabs?.[activeTabIndex];
  } catch {
    return undefined; // GraphiQL starts anew with a state that it cannot read
  }
}
