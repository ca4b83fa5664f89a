/** What the dialects have in common when they read a message: JSON or not, and the answers that carry no offer. */
import { JSON_DEPTH } from "../constants";
import type { Outcome, Task } from "../job/types";
import { asObject, parseJson } from "../util/json";
import type { JsonObject } from "../util/json";
import type { Incoming } from "./platform";

/** The JSON object that a payload consists of, or why it is to be ignored. Never throws. */
export function readObject(payload: Uint8Array): JsonObject | string {
  try {
    return asObject(parseJson(payload, JSON_DEPTH)) ?? "not a JSON object";
  } catch (error) {
    return (error as Error).message;
  }
}

export function ignored(reason: string): Incoming {
  return { kind: "ignored", reason };
}

/** An offer for this device with a field that can not be used. */
export function badOffer(task: Task, field: string): Incoming {
  const outcome: Outcome = { kind: "fail", cause: "rejected", message: `bad offer, ${field}` };
  return { kind: "refused", task, outcome };
}
