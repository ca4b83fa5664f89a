/** What is stored and told before a deep sleep. The state stays: the next wake takes up the job from the store. */
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
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
  if (linkUp && (name === "downloading" || name === "renewing"))
    effects.push(...state.progress.stalled(state.job, `asleep for ${seconds} s`));
  return to(state, effects);
};
