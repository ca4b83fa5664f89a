import { MQTT_KEEPALIVE, RESUME_DELAY } from "../../constants";
import { splitUrl } from "../../http/url";
import type { Identity } from "../../mqtt/message";
import type { CloudLink, LinkContext, Platform, PlatformDefinition, PlatformRules, Setting } from "../platform";
import { RESULT_CODES } from "../result-codes";
import { ThingsBoardCloud } from "./cloud";

/** ThingsBoard, Community Edition 3.4 to 4.3: firmware packages that are assigned to a device or its profile. */
export interface ThingsBoardConfig {
  /** Title of the packages for this product; what has another one is refused. */
  readonly title: string;
  /** The device's credential ... */
  readonly accessToken?: string;
  /** ... or MQTT basic credentials, each of which is optional. */
  readonly clientId?: string;
  readonly username?: string;
  /** A function is called at each connect. */
  readonly password?: string | (() => string | undefined);
  /** http(s)://host:port of the HTTP API, which takes an access token alone. Absent: chunks over MQTT. */
  readonly server?: string;
}

const settings = (): Setting[] => [
  /** Title of the firmware packages of this product. */
  { name: "title", required: true },
  /** The device's access token; or the next three, in any combination. */
  { name: "accessToken", secret: "kept" },
  /** MQTT basic credentials. */
  { name: "clientId", blank: true },
  /** MQTT basic credentials. */
  { name: "username", blank: true },
  /** MQTT basic credentials. */
  { name: "password", secret: "fetched", blank: true },
  /** `http://host:port` of the HTTP API. Without it, or without an access token, the bytes come over MQTT. */
  { name: "server", blank: true },
];

export class ThingsBoardPlatform implements Platform {
  readonly name = "thingsboard";
  readonly rules: PlatformRules = {
    versionReport: true,
    // In its trial new firmware has not proved itself: the server is told that the update goes on, not what runs.
    proof: "burning",
    // The device asks for its assignment with the version, at each connect.
    versionWhileBusy: true,
    renewable: true,
    resumeDelay: RESUME_DELAY,
    wantedState: true,
    // 400: another package is assigned; 404: none is.
    missingAsks: true,
  };
  private readonly config: ThingsBoardConfig;

  /** Throws with one line that names the setting if the configuration can not work. */
  constructor(config: ThingsBoardConfig) {
    const { title, accessToken, clientId, username, server } = config;
    if (typeof title !== "string" || title === "") throw new Error("title: missing");
    if (accessToken === undefined && clientId === undefined && username === undefined)
      throw new Error("accessToken: missing; or clientId, username and password");
    if (accessToken !== undefined && !/^[!-.0-~]+$/.test(accessToken))
      throw new Error("accessToken: printable characters without blanks and slashes");
    const split = server === undefined ? undefined : splitUrl(server);
    if (typeof split === "string") throw new Error(`server: ${split}`);
    this.config = config;
  }

  link(context: LinkContext): CloudLink {
    const { title, accessToken, server } = this.config;
    const api =
      accessToken === undefined || server === undefined
        ? undefined
        : `${server.replace(/\/+$/, "")}/api/v1/${encodeURIComponent(accessToken)}`;
    return new ThingsBoardCloud({ title, api }, () => this.identity(), context);
  }

  private identity(): Identity {
    const { title, accessToken, clientId = title, username, password: given } = this.config;
    const common = { clientId, keepAlive: MQTT_KEEPALIVE };
    if (accessToken !== undefined) return { ...common, username: accessToken };
    const password = typeof given === "function" ? given() : given;
    return {
      ...common,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined || password === "" ? {} : { password }),
    };
  }
}

export const thingsboard: PlatformDefinition<ThingsBoardConfig> = Object.freeze({
  name: "thingsboard",
  settings,
  title: "clientId title",
  codes: RESULT_CODES,
  Platform: ThingsBoardPlatform,
});
