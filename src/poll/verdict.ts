import { fault } from "../download/answers";
import { isPage, verdictOn } from "../download/verdict";
import type { Framing, Response } from "../http/response";
import type { HttpCall } from "../platforms/poll-platform";

/** What a head means for a call. */
export type CallVerdict =
  | { readonly kind: "body"; readonly framing: Framing }
  /** 304 */
  | { readonly kind: "unchanged" }
  | { readonly kind: "redirect"; readonly location: string }
  /** `retryAfter`: not to be asked again before that, seconds. */
  | { readonly kind: "failed"; readonly message: string; readonly retryAfter: number };

const failed = (message: string, retryAfter = 0): CallVerdict => ({ kind: "failed", message, retryAfter });

/** `isPoll`: JSON is expected, and 304 may come. `tls`: it was asked for by https. The words are those of downloads. */
export const verdictOnCall = (
  response: Response,
  method: HttpCall["method"],
  isPoll: boolean,
  tls: boolean,
): CallVerdict => {
  const { status, framing } = response;
  if (status === 304 && isPoll) return { kind: "unchanged" };
  if (status === 204) return { kind: "body", framing: { kind: "length", length: 0 } };
  if (status >= 200 && status < 300) {
    if (response.encoded) return failed(fault("encoded", status).message);
    if (framing === "ambiguous") return failed(fault("lengths", status).message);
    if (isPoll && isPage(response.type)) return failed(fault("page", status).message);
    return { kind: "body", framing };
  }
  const verdict = verdictOn(response, 0, 0, tls);
  switch (verdict.kind) {
    case "redirect":
      // Only 307 and 308 keep the method (RFC 9110, section 15.4).
      if (method !== "GET" && status < 307) return failed(`HTTP ${status}: redirect of a ${method} refused`);
      return { kind: "redirect", location: verdict.location };
    case "fault":
      return failed(verdict.message, verdict.retryAfter);
    default:
      return failed(fault(tls ? "bad-tls" : "bad-plain", status).message);
  }
};
