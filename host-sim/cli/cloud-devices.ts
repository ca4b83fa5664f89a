import { readJson } from "../board/config/text-file";
import type { Cloud } from "../cloud/core/cloud";
import { randomDevice } from "../cloud/core/platforms/sides";
import { identityProblem, type TencentDevice } from "../cloud/core/platforms/tencent/access";
import { deviceNumberOf, readIdentity } from "../cloud/core/platforms/thingspanel/identity";

/** A device that the command line names. */
export interface NamedDevice {
  readonly platform: "tencent" | "thingspanel";
  /** Its id in the cloud. */
  readonly id: string;
  readonly identity: Readonly<Record<string, unknown>>;
  /** Set where the device has a certificate in place of a secret: whom the certificate is for. */
  readonly certificate?: TencentDevice;
}

/**
 * A new device with a new secret. It is Tencent's unless its name begins with another platform and a slash. Throws one
 * line.
 */
export function newDevice(text: string): NamedDevice {
  const [, kind = "tencent", name = text] = /^(tencent|thingspanel-v[01])\/(.*)$/s.exec(text) ?? [];
  const { identity } = randomDevice(kind, name);
  return kind === "tencent" ? tencent(identity as unknown as TencentDevice) : thingspanel(identity);
}

/**
 * Parses productId/deviceName/deviceSecret (without a secret: by certificate) or thingspanel/v0/accessToken/module (the
 * module is optional). No product id is as long as "thingspanel". Throws one line.
 */
export function parseDevice(text: string): NamedDevice {
  const [productId = "", deviceName = "", ...rest] = text.split("/");
  if (productId === "thingspanel")
    return thingspanel({
      profile: deviceName,
      username: rest[0],
      ...(rest[1] === undefined ? {} : { module: rest[1] }),
    });
  // Base64 may contain slashes.
  return tencent({ productId, deviceName, ...(rest.length > 0 ? { deviceSecret: rest.join("/") } : {}) });
}

/**
 * A JSON file of one device or a list of them, each in the form of the vendor's device_info.json or of a device.json.
 * Throws one line.
 */
export function readDevices(path: string): NamedDevice[] {
  const value = readJson(path);
  try {
    return (Array.isArray(value) ? value : [value]).map((entry) => fromInfo(entry));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The demo device, for a push without a device: the same one at each start. */
export function demoDevice(cloud: Cloud): NamedDevice {
  const fresh = newDevice("demo-1");
  return { ...fresh, identity: cloud.identity(fresh.id) ?? fresh.identity };
}

/** Adds the device with that identity unless an earlier start did. Returns its id. Throws one line. */
export function deviceOf(cloud: Cloud, { platform, id, identity }: NamedDevice): string {
  const kept = cloud.identity(id);
  if (kept === undefined) return cloud.addDevice(platform, identity);
  const same = Object.keys({ ...kept, ...identity }).every((key) => kept[key] === identity[key]);
  if (!same) throw new Error(`device ${id.split("/").at(-1)} is there already, with another secret`);
  return id;
}

function fromInfo(entry: unknown): NamedDevice {
  const info = fields(entry);
  if (info["platform"] === "thingspanel") return thingspanel(info);
  const secret = info["deviceSecret"] ?? fields(info["key_deviceinfo"])["deviceSecret"];
  const { productId, deviceName } = info;
  if (typeof productId !== "string" || typeof deviceName !== "string") {
    throw new Error("each device has a productId and a deviceName");
  }
  if (info["auth_mode"] === "CERT") return tencent({ productId, deviceName });
  if (typeof secret !== "string") throw new Error(`device ${deviceName} has no deviceSecret`);
  return tencent({ productId, deviceName, deviceSecret: secret });
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function tencent(device: TencentDevice): NamedDevice {
  const problem = identityProblem(device);
  if (problem) throw new Error(problem);
  const { productId, deviceName, deviceSecret } = device;
  const id = `tencent/${productId}/${deviceName}`;
  return {
    platform: "tencent",
    id,
    identity: { ...device },
    ...(deviceSecret === undefined ? { certificate: device } : {}),
  };
}

function thingspanel(value: object): NamedDevice {
  const device = readIdentity(value);
  return { platform: "thingspanel", id: `thingspanel/${deviceNumberOf(device)}`, identity: { ...device } };
}
