/** Events about the device, not about a job: they mean the same in each state. */
import type { JobContext } from "./context";
import type { JobEvent } from "./effects";
import { RECORDS } from "./records";
import { stay, to } from "./states";
import type { State, Step } from "./states";

/** The operator or the application resets what is remembered of images. */
export const forget = <S extends State>(context: JobContext, state: S): Step<S> => {
  const { denylist, budgets } = context;
  context.refusedForGood = undefined;
  denylist.clear();
  return to(state, [{ type: "delete", key: RECORDS.denylist.key }, ...budgets.forget()]);
};

/** What a connection still waits for. Once nothing is missing, there has been an address. */
export const network = <S extends State>(
  context: JobContext,
  state: S,
  { missing }: Extract<JobEvent, { type: "network" }>,
): Step<S> => {
  context.obstacles.network = missing;
  context.hasAddress ||= missing === undefined;
  return stay(state);
};
