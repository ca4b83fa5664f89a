import type { Cause, Notice } from "../../../src/index";
import { RESULT_CODES } from "../../../src/platforms/tencent/dialect";
import { STEPS } from "../../../src/platforms/thingspanel/dialect";
import type { PlatformConfiguration } from "./configuration";

/** What each cloud is told for a cause. */
const CODES: { readonly [kind in PlatformConfiguration["kind"]]: { readonly [cause in Cause]: number } } = {
  tencent: RESULT_CODES,
  thingspanel: STEPS,
};

/** One line of the `device` command for a notice of the agent: a failure with its code on that platform. */
export function eventLine(notice: Notice, platform: PlatformConfiguration["kind"]): string {
  return JSON.stringify("cause" in notice ? { ...notice, code: CODES[platform][notice.cause] } : notice);
}
