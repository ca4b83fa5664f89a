/** PUBACKs that mean the same in each state; what proves or ends something is handled where it matters. */
import type { JobContext } from "./context";
import type { JobEvent } from "./effects";
import { isVersionLast, versionAfter } from "./report";
import { stay, to } from "./states";
import type { State, Step } from "./states";

export const acked = <S extends State>(
  context: JobContext,
  state: S,
  { token }: Extract<JobEvent, { type: "acked" }>,
  now: number,
): Step<S> => {
  if (token !== "refused") return stay(state);
  const settled = context.pending.answerAcknowledged();
  return to(state, isVersionLast(context) ? settled.concat(versionAfter(context, state, now)) : settled);
};
