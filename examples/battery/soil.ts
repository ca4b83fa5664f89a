import Timer from "timer";

/** What the app is there for: here a reading that takes half a second. */
export function measure(done: () => void): void {
  Timer.set(() => {
    trace("soil: 42 %\n");
    done();
  }, 500);
}
