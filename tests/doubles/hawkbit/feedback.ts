/** Reads the bodies that devices send (facts 11, 19, 29, 48). What the server refuses is refused here. */
import { isRecord, parseJson } from "../http/message";
import type { HttpRequest } from "../http/message";
import { badBody, invalid, refuse, springError } from "./answers";
import { EXECUTIONS, RESULTS } from "./action-reports";
import type { Feedback } from "./action-reports";
import { ATTRIBUTE_MAX } from "./model";

/** A body of JSON, as a map. CBOR, which the real server takes too, is refused here: the agent sends JSON. */
export function bodyOf({ headers, body, target }: HttpRequest): Record<string, unknown> {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return refuse(springError(415, "Unsupported Media Type", target));
  const value = parseJson(body);
  return isRecord(value) ? value : refuse(badBody());
}

/** `progress` is accepted and not kept (fact 33); unknown fields are ignored. */
export function feedbackOf(request: HttpRequest, now: number): Feedback {
  const { status, timestamp } = bodyOf(request);
  if (!isRecord(status) || !isRecord(status["result"])) return refuse(badBody());
  const execution = EXECUTIONS.find((each) => each === status["execution"]);
  const finished = RESULTS.find((each) => each === (status["result"] as Record<string, unknown>)["finished"]);
  if (execution === undefined || finished === undefined) return refuse(badBody());
  const { code, details } = status;
  if (timestamp !== undefined && typeof timestamp !== "number") return refuse(badBody());
  return { execution, finished, code: codeOf(code), details: detailsOf(details), timestamp: timestamp ?? now };
}

export function consentOf(request: HttpRequest): { readonly confirmed: boolean; readonly details: string[] } {
  const { confirmation, code, details } = bodyOf(request);
  if (confirmation !== "confirmed" && confirmation !== "denied") return refuse(badBody());
  const own = codeOf(code);
  const messages = [...detailsOf(details), ...(own === undefined ? [] : [`Device reported status code: ${own}`])];
  return { confirmed: confirmation === "confirmed", details: messages };
}

export function configDataOf(request: HttpRequest): {
  readonly mode: "merge" | "replace" | "remove";
  readonly data: Map<string, string>;
} {
  const { mode = "merge", data } = bodyOf(request);
  if (mode !== "merge" && mode !== "replace" && mode !== "remove") return refuse(badBody());
  if (!isRecord(data) || Object.keys(data).length === 0) return refuse(badBody());
  const attributes = new Map<string, string>();
  for (const [key, value] of Object.entries(data)) {
    if (typeof value === "object" && value !== null) return refuse(badBody());
    const text = String(value);
    if (key.length > ATTRIBUTE_MAX || text.length > ATTRIBUTE_MAX || key === "")
      return refuse(invalid("The given target attribute is invalid"));
    attributes.set(key, text);
  }
  return { mode, data: attributes };
}

const INT32 = 0x7fff_ffff;

function codeOf(code: unknown): number | undefined {
  if (code === undefined || code === null) return undefined;
  if (!Number.isInteger(code) || Math.abs(code as number) > INT32) return refuse(badBody());
  return code as number;
}

/** A bare string is accepted as a list of one. */
function detailsOf(details: unknown): string[] {
  if (details === undefined || details === null) return [];
  const list: readonly unknown[] = Array.isArray(details) ? details : [details];
  if (list.some((each) => typeof each === "object")) return refuse(badBody());
  return list.map(String);
}
