/** Helpers for `Platform.parse`: reading JSON, and the results that carry no offer. */
import { JSON_DEPTH } from "../constants";
import type { Outcome, Task } from "../job/types";
import { asObject, parseJson } from "../util/json";
import type { JsonObject } from "../util/json";
import type { Incoming } from "./platform";

/** The JSON object of a payload, or the reason to ignore it. Never throws. */
export const readObject = (payload: Uint8Array): JsonObject | string => {
  try {
    return asObject(parseJson(payload, JSON_DEPTH)) ?? "not a JSON object";
  } catch (error) {
    return (error as Error).message;
  }
};

export const ignored = (reason: string): Incoming => {
  return { kind: "ignored", reason };
};

/** The result for an offer with an unusable field. `field`: its name and what is wrong, "url: missing". */
export const badOffer = (task: Task, field: string): Incoming => {
  const outcome: Outcome = { kind: "fail", cause: "rejected", message: `bad offer, ${field}` };
  return { kind: "refused", task, outcome };
};
