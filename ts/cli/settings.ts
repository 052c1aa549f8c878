import type { StartedEvent } from '../generated/events.js';

/** Settings worth a line on the screen; `--verbose` and `--json` have them all. */
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

/** What a verb decided before it began, in words. */
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
