import { HawkbitServer } from "./hawkbit";
import { LocalCloud } from "./local-cloud";
import type { FleetServer } from "./server";
import { plainTarget } from "./server";
import { StaticSite } from "./static-site";
import { ThingsBoardServer } from "./thingsboard";

/** Platforms of a fleet. Of ThingsPanel both generations of servers. */
export const FLEET_PLATFORMS = [
  "tencent",
  "thingspanel-v0",
  "thingspanel-v1",
  "static",
  "hawkbit",
  "thingsboard",
] as const;
export type FleetPlatform = (typeof FLEET_PLATFORMS)[number];

/** Which server carries the rollout. */
export interface ServerChoice {
  /** Default: tencent. */
  readonly platform?: FleetPlatform;
  /** A local cloud that runs already, for Tencent and ThingsPanel; default: one of our own. */
  readonly cloud?: { readonly url: string; readonly token: string };
  /** Address of a hawkBit or ThingsBoard server, or the URL under which `site` is served. */
  readonly server?: string;
  /** Folder that a web server of one's own serves; default, without `server`: a web server of our own. */
  readonly site?: string;
  /** From one poll of a device to the next, seconds. Default: the least that a device takes. */
  readonly pollSeconds?: number;
}

const POLL_SECONDS = 60;

/** Rejects with one line where the choice makes no sense, or the server does not answer. */
export async function openServer(choice: ServerChoice): Promise<FleetServer> {
  const { platform = "tencent", cloud, server, site, pollSeconds = POLL_SECONDS } = choice;
  switch (platform) {
    case "hawkbit":
      return HawkbitServer.open(addressed(platform, server), pollSeconds);
    case "thingsboard":
      return ThingsBoardServer.open(addressed(platform, server));
    case "static":
      if ((server === undefined) !== (site === undefined)) throw new Error("--server and --site belong together");
      return StaticSite.open(pollSeconds, server === undefined || site === undefined ? undefined : { server, site });
    default:
      return LocalCloud.open(platform, cloud);
  }
}

function addressed(platform: string, server: string | undefined): string {
  if (server === undefined) throw new Error(`${platform} needs --server, the address of a server of your own`);
  plainTarget(server);
  return server;
}
