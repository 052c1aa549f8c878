import type { EpochEvent, IterationEvent, ProgressEvent, VerbEvent } from '../generated/events.js';
import { bar, Pace, times } from './bar.js';
import { duration } from './duration.js';
import type { Screen } from './screen.js';
import { settingsOf } from './settings.js';
import { styled } from './style.js';

/** Seconds between progress lines in a log. */
const LOG_INTERVAL = 30;

/** Dice of each class. */
export function dice(values: readonly (number | null)[]): string {
  return values.map((value) => value?.toFixed(3) ?? '–').join(' ');
}

/** Shows the events of a verb: a progress bar with times on a terminal, one line an epoch, every warning. */
export class ProgressView {
  readonly #screen: Screen;
  readonly #label: string;
  readonly #verbose: boolean;
  readonly #began = Date.now();
  readonly #pace = new Pace();
  #lastLog = 0;
  #open = false;

  constructor(screen: Screen, label: string, verbose = false) {
    this.#screen = screen;
    this.#label = label;
    this.#verbose = verbose;
  }

  show(event: VerbEvent): void {
    switch (event.type) {
      case 'started':
        this.#print(settingsOf(event, this.#verbose));
        break;
      case 'progress':
        this.#step(event);
        break;
      case 'iteration':
        this.#iteration(event);
        break;
      case 'epoch':
        this.#epoch(event);
        break;
      case 'validation':
        this.#print(`validated ${event.cases.length} whole cases, mean Dice ${dice(event.dice)}`);
        break;
      case 'checkpoint':
        // The line of the epoch marks a new best.
        if (this.#verbose || event.kind === 'final') this.#print(`wrote ${event.path}`);
        break;
      case 'memory':
        if (event.strategy) {
          const how = event.strategy === 'slabs' ? 'some planes at a time' : 'the whole softmax at once';
          this.#print(`${event.case ?? event.part}: at most ${megabytes(event.bytes)} of memory, ${how}`);
        } else if (this.#verbose) {
          this.#print(`the ${event.part} uses at most ${megabytes(event.bytes)}`);
        }
        break;
      case 'warning':
        this.#line(
          `${styled(this.#screen, 'yellow', 'warning')}${event.case ? ` (${event.case})` : ''}: ${event.message}`,
        );
        break;
    }
  }

  /** Ends the line that is being rewritten. */
  close(): void {
    if (this.#open) this.#screen.write('\n');
    this.#open = false;
  }

  #step(event: ProgressEvent): void {
    const { done, total, unit, case: name } = event;
    const { elapsed, left } = this.#pace.step(event);
    const words = `${done}/${total} ${unit}, ${times(elapsed, left)}${name ? `  ${name}` : ''}`;
    this.#bar(total > 0 ? done / total : 1, words, done === total);
  }

  #iteration({ epoch, epochs, iteration, iterations, loss, secondsLeft }: IterationEvent): void {
    const share = (epoch + (iteration + 1) / iterations) / epochs;
    const elapsed = (Date.now() - this.#began) / 1000;
    const words = `epoch ${epoch + 1}/${epochs}, iteration ${iteration + 1}/${iterations}, loss ${loss.toFixed(3)}`;
    this.#bar(share, `${words}, ${times(elapsed, secondsLeft)}`);
  }

  #epoch(event: EpochEvent): void {
    const { epoch, epochs, trainLoss, validationLoss, best, seconds, secondsLeft } = event;
    const loss = (value: number | null): string => value?.toFixed(4) ?? '–';
    const mark = best ? `  ${styled(this.#screen, 'green', '* new best')}` : '';
    const number = `epoch ${String(epoch + 1).padStart(String(epochs).length)}/${epochs}`;
    this.#print(
      `${number}  loss ${loss(trainLoss)}  validation ${loss(validationLoss)}  Dice ${dice(event.dice)}  ` +
        `${duration(seconds)}, ${duration(secondsLeft)} left${mark}`,
    );
  }

  #bar(share: number, words: string, last = false): void {
    const percent = `${Math.floor(share * 100)} %`.padStart(5);
    if (this.#screen.isTTY) {
      const text = `${this.#label} ${bar(share)} ${percent}  ${words}`;
      this.#screen.write(`\r\x1b[2K${text.slice(0, (this.#screen.columns ?? 120) - 1)}`);
      this.#open = true;
    } else if (last || Date.now() - this.#lastLog > LOG_INTERVAL * 1000) {
      this.#lastLog = Date.now();
      this.#screen.write(`${this.#label}: ${percent.trim()}, ${words}\n`);
    }
  }

  #print(words: string): void {
    this.#line(`${styled(this.#screen, 'bold', this.#label)}${words === '' ? '' : `: ${words}`}`);
  }

  #line(text: string): void {
    if (this.#open) this.#screen.write('\r\x1b[2K');
    this.#open = false;
    this.#screen.write(`${text}\n`);
  }
}

function megabytes(bytes: number): string {
  return bytes < 1e10 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
