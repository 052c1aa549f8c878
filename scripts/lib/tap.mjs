// Test Anything Protocol.

export class Tap {
  #count = 0;
  #failed = 0;

  /** Prints the line of a check. A problem makes it a failure and is shown as a comment. */
  report(name, problem = '') {
    this.#count += 1;
    if (problem !== '') this.#failed += 1;
    process.stdout.write(`${problem === '' ? 'ok' : 'not ok'} ${this.#count} - ${name}\n`);
    if (problem !== '') process.stdout.write(`${problem.trimEnd().replace(/^/gm, '# ')}\n`);
  }

  /** Runs a check and prints its line; an error is the problem. */
  async check(name, work) {
    let problem = '';
    try {
      await work();
    } catch (error) {
      problem = (error instanceof Error ? error.message : String(error)) || 'an error without a message';
    }
    this.report(name, problem);
  }

  /** Prints a line that says why a check was not possible. It is not counted as passed. */
  skip(name, reason) {
    process.stdout.write(`# skipped: ${name}: ${reason}\n`);
  }

  /** Prints the plan and sets the exit code. */
  finish() {
    process.stdout.write(
      `1..${this.#count}\n# ${this.#count - this.#failed} passed, ${this.#failed} failed\n`,
    );
    if (this.#failed > 0) process.exitCode = 1;
  }
}
