/** What the tests of this folder let pass. */

/** Files of the tests that use the system's timers, each with its reason. All others wait for events. */
export const TIMERS: ReadonlyMap<string, string> = new Map([
  ["tests/fuzz/main.ts", "ends an input that hangs"],
  ["tests/powercut/mutants/mutant-program.ts", "ends a mutant that hangs"],
  ["tests/mqtt/session-aedes.test.ts", "is the driver of a session, whose deadlines are real here"],
  // These wait for time, and are to wait for events.
  ["tests/cloud/external-broker.test.ts", "repeats a report until it is heard"],
  ["tests/cloud/files.test.ts", "a lower bound on the time of a throttled answer"],
  ["tests/cloud/tencent.test.ts", "waits until the delay of a push is over"],
  ["tests/console/kill.test.ts", "looks again after some milliseconds"],
  ["tests/moddable/ram-report.ts", "gives the event loop a turn"],
  ["tests/moddable/update.check.ts", "looks again after some milliseconds"],
  ["tests/powercut/moments.ts", "looks each millisecond how many bytes were served"],
  ["tests/powercut/processes.test.ts", "kills after a random time, looks again after some milliseconds"],
]);
