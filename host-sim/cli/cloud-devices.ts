import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { identityProblem, type TencentDevice } from "../cloud/tencent-access";

/** A device of that name; its secret is new each time. Throws one line. */
export function newDevice(deviceName: string): TencentDevice {
  return checked({ productId: "XSOTADESK1", deviceName, deviceSecret: randomBytes(16).toString("base64") });
}

/** productId/deviceName/deviceSecret; without a secret the device shows a certificate. Throws one line. */
export function parseDevice(text: string): TencentDevice {
  const [productId = "", deviceName = "", ...rest] = text.split("/");
  // Base64 may hold slashes of its own.
  return checked({ productId, deviceName, ...(rest.length > 0 ? { deviceSecret: rest.join("/") } : {}) });
}

/** A JSON file of one device or a list of them, in the form of the vendor's device_info.json. Rejects with one line. */
export async function readDevices(path: string): Promise<TencentDevice[]> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return (Array.isArray(value) ? value : [value]).map((entry) => fromInfo(entry));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path}: ${code === "ENOENT" ? "there is no such file" : message}`, { cause: error });
  }
}

function fromInfo(entry: unknown): TencentDevice {
  const info = fields(entry);
  const secret = info["deviceSecret"] ?? fields(info["key_deviceinfo"])["deviceSecret"];
  const { productId, deviceName } = info;
  if (typeof productId !== "string" || typeof deviceName !== "string") {
    throw new Error("each device has a productId and a deviceName");
  }
  if (info["auth_mode"] === "CERT") return checked({ productId, deviceName });
  if (typeof secret !== "string") throw new Error(`device ${deviceName} has no deviceSecret`);
  return checked({ productId, deviceName, deviceSecret: secret });
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function checked(device: TencentDevice): TencentDevice {
  const problem = identityProblem(device);
  if (problem) throw new Error(problem);
  return device;
}
