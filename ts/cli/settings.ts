import type { StartedEvent } from '../generated/events.js';

/** Settings that are shown by default; `--verbose` and `--json` show all. */
const SHOWN = new Set([
  'task',
  'convention',
  'cases',
  'trainer',
  'fold',
  'device',
  'precision',
  'precisionReason',
  'folds',
  'patchSize',
  'batchSize',
  'trainingCases',
  'validationCases',
  'numParameters',
  'workers',
  'threads',
]);

/** Settings of a verb as text. */
export function settingsOf({ settings }: StartedEvent, all: boolean): string {
  return Object.entries(settings)
    .filter(([key, value]) => (all || SHOWN.has(key)) && value !== null)
    .map(([key, value]) => `${words(key)} ${plain(value)}`)
    .join(', ');
}

/** `patchSize` → `patch size`. */
function words(key: string): string {
  return key.replaceAll('_', ' ').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.join('×');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
