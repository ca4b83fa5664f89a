/**
 * The platforms of the complete firmware and of the host. A further one is its folder, a line here and a line in the
 * manifest beside this file. An app for one cloud imports that cloud's folder instead, and links no other.
 */
import type { AnyPlatform } from "./platform";
import { hawkbit } from "./hawkbit/dialect";
import { staticFiles } from "./static/dialect";
import { tencent } from "./tencent/dialect";
import { thingsboard } from "./thingsboard/dialect";
import { thingspanel } from "./thingspanel/dialect";

export const PLATFORMS: readonly AnyPlatform[] = Object.freeze([
  tencent,
  thingspanel,
  staticFiles,
  hawkbit,
  thingsboard,
]);
