/**
 * A ThingsBoard server of one's own through its REST API, with a tenant's account. Made for 4.3, where the forms were
 * tried. What it creates has names of its own, and `cleanUp` removes it.
 */
import { callJson } from "../json-api";
import type { Json } from "../json-api";
import type {
  AttributeValue,
  BasicCredentials,
  DeviceId,
  Link,
  Package,
  PackageId,
  ProfileId,
  ThingsBoardOperator,
} from "./operator";

export interface Account {
  /** http://host:port */
  readonly url: string;
  /** Of a tenant's administrator. */
  readonly username: string;
  readonly password: string;
  /** Default: 1883 on the same host. */
  readonly mqttPort?: number;
}

/** From XS_OTA_THINGSBOARD (http://host:port), and _USER, _PASSWORD, _MQTT_PORT behind it. */
export function accountFrom(environment: Readonly<Record<string, string | undefined>>): Account {
  const { XS_OTA_THINGSBOARD: url, XS_OTA_THINGSBOARD_USER, XS_OTA_THINGSBOARD_PASSWORD } = environment;
  if (url === undefined || !/^https?:\/\/[^/]+\/*$/.test(url))
    throw new Error("set XS_OTA_THINGSBOARD: the address of your ThingsBoard server, http://host:port");
  const mqttPort = Number(environment["XS_OTA_THINGSBOARD_MQTT_PORT"] ?? 1_883);
  if (!Number.isInteger(mqttPort) || mqttPort < 1 || mqttPort > 65_535)
    throw new Error("set XS_OTA_THINGSBOARD_MQTT_PORT: a port, 1 to 65535");
  // The tenant's administrator of an installation with demo data.
  const [username = "tenant@thingsboard.org", password = "tenant"] = [
    XS_OTA_THINGSBOARD_USER,
    XS_OTA_THINGSBOARD_PASSWORD,
  ];
  return { url: url.replace(/\/+$/, ""), username, password, mqttPort };
}

/** Values of a key in one answer. */
const VALUES_MAX = 10_000;
/** After any value, also of a device whose clock is wrong. */
const FOREVER = Date.UTC(2100, 0);

export class RestOperator implements ThingsBoardOperator {
  readonly server: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly #token: string;
  /** Paths of what was made, the oldest first. */
  readonly #made: string[] = [];
  /** Profiles that have a package, which has to be taken away first. */
  readonly #assigned = new Set<ProfileId>();

  private constructor({ url, mqttPort = 1883 }: Account, token: string) {
    this.server = url;
    this.mqtt = { host: new URL(url).hostname, port: mqttPort };
    this.#token = token;
  }

  /** Rejects with one line where the account is not taken. */
  static async login(account: Account): Promise<RestOperator> {
    const { username, password } = account;
    const { token } = (await new RestOperator(account, "").#call("POST", "auth/login", { username, password })) as Json;
    return new RestOperator(account, String(token));
  }

  async createProfile(name: string): Promise<ProfileId> {
    return this.#create("deviceProfile", {
      name,
      type: "DEFAULT",
      transportType: "DEFAULT",
      provisionType: "DISABLED",
      profileData: {
        configuration: { type: "DEFAULT" },
        transportConfiguration: { type: "DEFAULT" },
        provisionConfiguration: { type: "DISABLED", provisionDeviceSecret: null },
        alarms: null,
      },
    });
  }

  async createDevice(
    name: string,
    profile: ProfileId,
  ): Promise<{ readonly id: DeviceId; readonly accessToken: string }> {
    const id = await this.#create("device", { name, deviceProfileId: reference("DEVICE_PROFILE", profile) });
    const { credentialsId } = (await this.#call("GET", `device/${id}/credentials`)) as Json;
    return { id, accessToken: String(credentialsId) };
  }

  async deleteDevice(device: DeviceId): Promise<void> {
    await this.#delete(`device/${device}`);
  }

  async useBasicCredentials(device: DeviceId, credentials: BasicCredentials): Promise<void> {
    await this.#saveCredentials(device, {
      credentialsType: "MQTT_BASIC",
      credentialsId: null,
      credentialsValue: JSON.stringify(credentials),
    });
  }

  async useAccessToken(device: DeviceId, token: string): Promise<void> {
    await this.#saveCredentials(device, {
      credentialsType: "ACCESS_TOKEN",
      credentialsId: token,
      credentialsValue: null,
    });
  }

  async #saveCredentials(device: DeviceId, credentials: Json): Promise<void> {
    const { id, deviceId } = (await this.#call("GET", `device/${device}/credentials`)) as Json;
    await this.#call("POST", "device/credentials", { id, deviceId, ...credentials });
  }

  async upload(profile: ProfileId, { bytes, algorithm = "SHA256", checksum, ...info }: Package): Promise<PackageId> {
    const id = await this.#createPackage(profile, { ...info, usesUrl: false });
    const form = new FormData();
    form.set("file", new Blob([new Uint8Array(bytes)]), "firmware.bin");
    const query = new URLSearchParams({
      checksumAlgorithm: algorithm,
      ...(checksum === undefined ? {} : { checksum }),
    });
    await this.#call("POST", `otaPackage/${id}?${query}`, form);
    return id;
  }

  async link(profile: ProfileId, { size, algorithm, ...info }: Link): Promise<PackageId> {
    return this.#createPackage(profile, {
      ...info,
      usesUrl: true,
      ...(size === undefined ? {} : { dataSize: size }),
      ...(algorithm === undefined ? {} : { checksumAlgorithm: algorithm }),
    });
  }

  async deletePackage(firmware: PackageId): Promise<void> {
    await this.#delete(`otaPackage/${firmware}`);
  }

  async assign(device: DeviceId, firmware: PackageId | undefined): Promise<void> {
    await this.#setFirmware("device", device, firmware);
  }

  async assignToProfile(profile: ProfileId, firmware: PackageId | undefined): Promise<void> {
    await this.#setFirmware("deviceProfile", profile, firmware);
    if (firmware === undefined) this.#assigned.delete(profile);
    else this.#assigned.add(profile);
  }

  async setShared(device: DeviceId, attributes: Readonly<Record<string, AttributeValue>>): Promise<void> {
    await this.#call("POST", `plugins/telemetry/DEVICE/${device}/SHARED_SCOPE`, attributes);
  }

  async attributes(device: DeviceId, scope: "SHARED_SCOPE" | "CLIENT_SCOPE"): Promise<Record<string, AttributeValue>> {
    const rows = (await this.#call("GET", `plugins/telemetry/DEVICE/${device}/values/attributes/${scope}`)) as {
      readonly key: string;
      readonly value: AttributeValue;
    }[];
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  }

  async telemetry(device: DeviceId, keys: readonly string[]): Promise<Record<string, readonly string[]>> {
    const query = new URLSearchParams({
      keys: keys.join(","),
      startTs: "0",
      endTs: String(FOREVER),
      limit: String(VALUES_MAX),
      orderBy: "ASC",
    });
    const rows = (await this.#call("GET", `plugins/telemetry/DEVICE/${device}/values/timeseries?${query}`)) as Record<
      string,
      readonly { readonly value: unknown }[]
    >;
    return Object.fromEntries(Object.entries(rows).map(([key, list]) => [key, list.map(({ value }) => String(value))]));
  }

  /** The newest first: what uses something goes before it. */
  async cleanUp(): Promise<void> {
    for (const profile of this.#assigned) await this.assignToProfile(profile, undefined).catch(() => undefined);
    const order = ["device/", "otaPackage/", "deviceProfile/"];
    for (const kind of order)
      for (const path of this.#made.filter((each) => each.startsWith(kind)))
        await this.#call("DELETE", path).catch(() => undefined);
    this.#made.length = 0;
  }

  /** What is there, with another firmware: the server takes whole objects. */
  async #setFirmware(kind: "device" | "deviceProfile", id: string, firmware: PackageId | undefined): Promise<void> {
    const object = (await this.#call("GET", `${kind}/${id}`)) as Json;
    const firmwareId = firmware === undefined ? null : reference("OTA_PACKAGE", firmware);
    await this.#call("POST", kind, { ...object, firmwareId });
  }

  #createPackage(profile: ProfileId, info: Json): Promise<string> {
    return this.#create("otaPackage", {
      ...info,
      type: "FIRMWARE",
      deviceProfileId: reference("DEVICE_PROFILE", profile),
    });
  }

  async #create(path: string, value: Json): Promise<string> {
    const { id } = (await this.#call("POST", path, value)) as { readonly id: { readonly id: string } };
    this.#made.push(`${path}/${id.id}`);
    return id.id;
  }

  async #delete(path: string): Promise<void> {
    await this.#call("DELETE", path);
    const at = this.#made.indexOf(path);
    if (at >= 0) this.#made.splice(at, 1);
  }

  #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers: Record<string, string> = this.#token === "" ? {} : { "X-Authorization": `Bearer ${this.#token}` };
    return callJson({ name: "ThingsBoard", root: `${this.server}/api`, headers }, method, path, body);
  }
}

const reference = (entityType: string, id: string): Json => ({ entityType, id });
