import type { Cause, Notice } from "../../src/index";

/** Result codes as both clouds know them (Tencent document 1105/41507; ThingsPanel's negative steps). */
const CODES: { readonly [cause in Cause]: number } = Object.freeze({
  "download-timeout": -1,
  "not-found": -2,
  "url-expired": -3,
  "digest-mismatch": -4,
  download: -5,
  rejected: -5,
  flash: -5,
  "rolled-back": -5,
});

/** One line of the `device` command for a notice of the agent. */
export function eventLine(notice: Notice): string {
  return JSON.stringify("cause" in notice ? { ...notice, code: CODES[notice.cause] } : notice);
}
