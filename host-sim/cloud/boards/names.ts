import { randomBytes } from "node:crypto";

/** Part of file names, device names and topics. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** Product of simulated boards on Tencent's side. */
const PRODUCT = "XSOTADESK1";

/** Throws one line. */
export function checkName(name: string): void {
  if (!NAME.test(name))
    throw new Error("a board's name has 1 to 32 small letters, digits and hyphens, the last not at its ends");
}

/** "board-1" or the first such name that nobody has. */
export function freeName(taken: (name: string) => boolean): string {
  for (let number = 1; ; number++) if (!taken(`board-${number}`)) return `board-${number}`;
}

/** Platforms and their generations, as a board can be made for them. */
export const BOARD_PLATFORMS = ["tencent", "thingspanel-v1", "thingspanel-v0"] as const;

/** What a new board is on a platform; its secret is new each time. */
export function identityFor(platform: string, name: string): Record<string, unknown> {
  if (platform === "tencent")
    return { productId: PRODUCT, deviceName: name, deviceSecret: randomBytes(16).toString("base64") };
  const profile = /^thingspanel-(v[01])$/.exec(platform)?.[1];
  if (profile !== undefined)
    return { profile, username: randomBytes(12).toString("hex"), deviceNumber: name, clientId: name };
  throw new Error(`no simulated boards for ${platform}`);
}
