import type { Notice } from "../../../src/index";
import type { AnyPlatform } from "../../../src/platforms/platform";

/** One line of the `device` command for a notice of the agent: a failure with its code on that platform. */
export function eventLine(notice: Notice, { codes }: Pick<AnyPlatform, "codes">): string {
  return JSON.stringify("cause" in notice ? { ...notice, code: codes[notice.cause] } : notice);
}
