import { BACKOFF_CAP, DECIDE_WITHIN, RECONNECTS_PER_TRIAL, RECONNECT_IN_UPDATE } from "../constants";
import type { Policy } from "./policy";
import { jobOf } from "./states";
import type { State } from "./states";

/** The longest wait for a reconnect that a state allows, ms. */
export const reconnectWithin = (state: State, { trialSeconds }: Policy): number => {
  switch (state.name) {
    case "trial":
    case "trial-without-job":
      return (trialSeconds * 1000) / RECONNECTS_PER_TRIAL;
    case "deciding":
      return state.outage ? RECONNECT_IN_UPDATE : DECIDE_WITHIN / RECONNECTS_PER_TRIAL;
    default:
      return jobOf(state) === undefined ? BACKOFF_CAP : RECONNECT_IN_UPDATE;
  }
};
