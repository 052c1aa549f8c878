// Test Anything Protocol.

export class Tap {
  #count = 0;
  #failed = 0;

  /** Runs a check and prints its line; an error is a failure, shown as a comment. */
  async check(name, work) {
    this.#count += 1;
    try {
      await work();
      process.stdout.write(`ok ${this.#count} - ${name}\n`);
    } catch (error) {
      this.#failed += 1;
      const text = error instanceof Error ? error.message : String(error);
      process.stdout.write(`not ok ${this.#count} - ${name}\n${text.replace(/^/gm, '# ')}\n`);
    }
  }

  /** Prints a line that says why a check was not possible. It is not counted as passed. */
  skip(name, reason) {
    process.stdout.write(`# skipped: ${name}: ${reason}\n`);
  }

  /** Prints the plan and sets the exit code. */
  finish() {
    process.stdout.write(`1..${this.#count}\n`);
    if (this.#failed > 0) process.exitCode = 1;
  }
}
