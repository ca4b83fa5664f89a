/** Progress on stderr: one changing line on a terminal, elsewhere a line from time to time. */
const ELSEWHERE_EVERY = 15_000;

export class ProgressLine {
  #shownAt = -Infinity;

  show(text: string): void {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${text}`);
      return;
    }
    if (performance.now() - this.#shownAt < ELSEWHERE_EVERY) return;
    this.#shownAt = performance.now();
    process.stderr.write(`${text}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
}
