import type { ProgressEvent, VerbEvent } from './events.js';

/** Where a renderer writes; a terminal gets one line that is rewritten, a log gets a line now and then. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Seconds between progress lines where the output is no terminal. */
const LOG_INTERVAL = 30;

/** `3725` → `1 h 02 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.round(seconds));
  const pad = (n: number) => String(n).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** Renders a verb's events for people: a progress line with time left, a line an epoch, every warning. */
export class ProgressView {
  readonly #screen: Screen;
  readonly #label: string;
  /** Since when, and from which count, the units of the present part are counted. */
  #part = { unit: '', began: Date.now(), done: 0 };
  #lastLog = 0;
  #open = false;

  constructor(screen: Screen, label: string) {
    this.#screen = screen;
    this.#label = label;
  }

  show(event: VerbEvent): void {
    switch (event.type) {
      case 'started':
        this.#start(settings(event.settings));
        break;
      case 'progress':
        this.#step(event);
        break;
      case 'iteration': {
        const words = `epoch ${event.epoch + 1}, iteration ${event.iteration + 1}/${event.iterations}`;
        const left = `loss ${event.loss.toFixed(3)}, ${duration(event.secondsLeft)} left`;
        this.#line(`${this.#label}: ${words}, ${left}`);
        break;
      }
      case 'epoch': {
        const dice = event.dice.map((d) => (d === null ? '  –  ' : d.toFixed(3))).join(' ');
        const validation = event.validationLoss === null ? '–' : event.validationLoss.toFixed(4);
        this.#print(
          `${this.#label}: epoch ${event.epoch + 1}/${event.epochs}  loss ${event.trainLoss.toFixed(4)}  ` +
            `validation ${validation}  Dice ${dice}  lr ${event.learningRate.toPrecision(3)}  ` +
            `${duration(event.seconds)}, ${duration(event.secondsLeft)} left`,
        );
        break;
      }
      case 'checkpoint':
        if (event.kind !== 'latest') this.#print(`${this.#label}: wrote ${event.path}`);
        break;
      case 'memory':
        this.#print(`${this.#label}: the ${event.part} takes at most ${megabytes(event.bytes)}`);
        break;
      case 'warning':
        this.#print(`warning${event.case ? ` (${event.case})` : ''}: ${event.message}`);
        break;
    }
  }

  /** Ends the line that is being rewritten. */
  close(): void {
    if (this.#open) this.#screen.write('\n');
    this.#open = false;
  }

  #start(words: string): void {
    this.#print(words === '' ? this.#label : `${this.#label}: ${words}`);
  }

  #step({ done, total, unit, case: name }: ProgressEvent): void {
    if (unit !== this.#part.unit) {
      // What no case is told of was there already: it says nothing about the speed.
      const there = name === null ? done : 0;
      const began = this.#part.unit === '' ? this.#part.began : Date.now();
      this.#part = { unit, began, done: there };
    }
    const elapsed = (Date.now() - this.#part.began) / 1000;
    const made = done - this.#part.done;
    const left = made > 0 && done < total ? `, ${duration((elapsed / made) * (total - done))} left` : '';
    const words = `${this.#label}: ${done}/${total} ${unit}${left}${name ? `  ${name}` : ''}`;
    this.#line(words, done === total);
  }

  #line(text: string, last = false): void {
    if (this.#screen.isTTY) {
      this.#screen.write(`\r\x1b[2K${text.slice(0, (this.#screen.columns ?? 120) - 1)}`);
      this.#open = true;
    } else if (last || Date.now() - this.#lastLog > LOG_INTERVAL * 1000) {
      this.#lastLog = Date.now();
      this.#screen.write(`${text}\n`);
    }
  }

  #print(text: string): void {
    if (this.#open) this.#screen.write('\r\x1b[2K');
    this.#open = false;
    this.#screen.write(`${text}\n`);
  }
}

function megabytes(bytes: number): string {
  return bytes < 1e10 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Settings worth a line on the screen; `--json` has them all. */
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

function settings(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .filter(([key, value]) => SHOWN.has(key) && value !== null)
    .map(([key, value]) => `${words(key)} ${plain(value)}`)
    .join(', ');
}

/** `patchSize` → `patch size`. */
function words(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.join('×');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
