/** PUBACKs that mean the same in each state; what proves or ends something is handled where it matters. */
import type { JobContext } from "./context";
import type { JobEvent } from "./effects";
import { stay, to } from "./states";
import type { State, Step } from "./states";

export const acked = <S extends State>(
  { pending }: JobContext,
  state: S,
  { token }: Extract<JobEvent, { type: "acked" }>,
): Step<S> => (token === "refused" ? to(state, pending.answerAcknowledged()) : stay(state));
