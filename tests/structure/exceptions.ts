/** What the tests of this folder let pass. */

/** Files of the tests that use the system's timers, each with its reason. All others wait for events. */
export const TIMERS: ReadonlyMap<string, string> = new Map([
  ["tests/fuzz/main.ts", "ends an input that hangs"],
  ["tests/powercut/mutants/mutant-program.ts", "ends a mutant that hangs"],
  ["tests/mqtt/session-aedes.test.ts", "is the driver of a session, whose deadlines are real here"],
  ["tests/cloud/files.test.ts", "a lower bound on the time of a throttled answer, which holds on any machine"],
  ["tests/cloud/tencent.test.ts", "queues behind a timer of the same duration, which is the event"],
  ["tests/moddable/ram-report.ts", "gives the event loop a turn"],
  ["tests/powercut/processes.test.ts", "kills after a random time: the time is the stimulus"],
]);
