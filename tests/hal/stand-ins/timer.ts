/** The SDK's "timer", turned by hand. */
export default class Timer {
  static readonly waiting: (() => void)[] = [];

  static set(callback: () => void): Timer {
    Timer.waiting.push(callback);
    return new Timer();
  }

  /** Everything that waits, and what that sets. */
  static run(): void {
    for (let next = Timer.waiting.shift(); next !== undefined; next = Timer.waiting.shift()) next();
  }
}
