/** What is stored and told before a deep sleep. The state stays: the next wake takes up the job from the store. */
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import { percentOf } from "./progress";
import { to } from "./states";
import type { State, Step } from "./states";

export const beforeSleep = <S extends State>(
  { pending, budgets, linkUp }: JobContext,
  state: S,
  { seconds }: Extract<JobEvent, { type: "sleep" }>,
  now: number,
): Step<S> => {
  const effects: JobEffect[] = [...pending.store(Infinity), ...budgets.keep(now)];
  const { name } = state;
  if (linkUp && (name === "downloading" || name === "renewing")) {
    const { offer, progress } = state.job;
    const percent = percentOf(progress.done, progress.of);
    effects.push({
      type: "report",
      report: { kind: "progress", task: offer, percent, note: `asleep for ${seconds} s` },
    });
  }
  return to(state, effects);
};
