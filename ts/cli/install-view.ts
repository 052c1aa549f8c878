import type { ProgressEvent } from '../generated/events.js';
import type { LibtorchInstallEvent } from '../libtorch/report.js';
import { bar, Pace, times } from './bar.js';
import type { Screen } from './screen.js';
import { styled } from './style.js';

/** Share between two progress lines in a log. */
const LOG_STEP = 0.1;

/** Shows an installation: its steps, and a progress bar on a terminal or one line each 10 % in a log. */
export class InstallView {
  readonly #screen: Screen;
  readonly #pace = new Pace();
  #unit = '';
  #logged = 0;
  #open = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  step(words: string): void {
    this.#line(`libtorch: ${words}`);
  }

  show(event: LibtorchInstallEvent): void {
    if (event.type === 'progress') this.#progress(event);
    else if (event.type === 'warning') {
      this.#line(`${styled(this.#screen, 'yellow', 'warning')}: ${event.message}`);
    }
  }

  /** Ends the line that is being rewritten. */
  close(): void {
    if (this.#open) this.#screen.write('\n');
    this.#open = false;
  }

  #progress(event: ProgressEvent): void {
    const { done, total, unit, case: file } = event;
    if (unit !== this.#unit) this.#logged = 0;
    this.#unit = unit;
    const share = total > 0 ? done / total : 1;
    // Without a case, the pace counts from the first event, which may have files of an earlier download.
    const { elapsed, left } = this.#pace.step({ ...event, case: null });
    const percent = `${Math.floor(share * 100)} %`.padStart(5);
    const words = `${megabytes(done)}/${megabytes(total)} MB ${unit.replace('bytes ', '')}`;
    if (this.#screen.isTTY) {
      const text = `libtorch ${bar(share)} ${percent}  ${words}, ${times(elapsed, left)}  ${file ?? ''}`;
      this.#screen.write(`\r\x1b[2K${text.slice(0, (this.#screen.columns ?? 120) - 1)}`);
      this.#open = true;
    } else if (share - this.#logged >= LOG_STEP || (done === total && this.#logged < 1)) {
      this.#logged = done === total ? 1 : share;
      this.#line(`libtorch: ${percent.trim()}, ${words}, ${times(elapsed, left)}`);
    }
  }

  #line(text: string): void {
    if (this.#open) this.#screen.write('\r\x1b[2K');
    this.#open = false;
    this.#screen.write(`${text}\n`);
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
