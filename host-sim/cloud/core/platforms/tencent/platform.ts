import { randomBytes } from "node:crypto";
import type { CloudPlatform } from "../platform-side";
import { TencentSide, type TencentOptions } from "./side";

/** Product of new devices. */
const PRODUCT = "XSOTADESK1";

export const tencent = {
  name: "tencent",
  kinds: ["tencent"],
  newIdentity: (_kind, deviceName) => ({
    productId: PRODUCT,
    deviceName,
    deviceSecret: randomBytes(16).toString("base64"),
  }),
  side: (options) => new TencentSide(options),
} as const satisfies CloudPlatform<TencentOptions>;
