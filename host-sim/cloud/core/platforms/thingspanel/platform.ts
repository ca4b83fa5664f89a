import { randomBytes } from "node:crypto";
import type { CloudPlatform } from "../platform-side";
import { ThingsPanelSide, type ThingsPanelOptions } from "./side";

export const thingspanel = {
  name: "thingspanel",
  kinds: ["thingspanel-v1", "thingspanel-v0"],
  newIdentity: (kind, name) => ({
    profile: kind.slice("thingspanel-".length),
    username: randomBytes(12).toString("hex"),
    deviceNumber: name,
    clientId: name,
  }),
  side: (options) => new ThingsPanelSide(options),
} as const satisfies CloudPlatform<ThingsPanelOptions>;
