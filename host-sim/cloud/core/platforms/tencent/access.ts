import { createHmac, timingSafeEqual } from "node:crypto";
import type { ConnectAttempt } from "../../broker/gate";

/** A device as it stands in Tencent's console. */
export interface TencentDevice {
  /** 10 characters at most. */
  readonly productId: string;
  /** 1 to 48 characters. */
  readonly deviceName: string;
  /** Base64, for key authentication. Without it the device proves itself by a client certificate. */
  readonly deviceSecret?: string;
}

/** One line on what is wrong with the identity; undefined if nothing is. */
export function identityProblem({ productId, deviceName, deviceSecret }: TencentDevice): string | undefined {
  if (!/^[A-Za-z0-9]{1,10}$/.test(productId)) return "productId has 1 to 10 letters and digits";
  if (!/^[A-Za-z0-9_:-]{1,48}$/.test(deviceName)) return "deviceName has 1 to 48 characters out of A-Z a-z 0-9 _ : -";
  if (deviceSecret === undefined) return undefined;
  const canonical = Buffer.from(deviceSecret, "base64").toString("base64");
  const valid = deviceSecret !== "" && deviceSecret.length <= 64 && canonical === deviceSecret;
  return valid ? undefined : "deviceSecret is base64 of at most 64 characters";
}

/** An identity out of plain JSON, its form unchecked but for the types. Throws one line. */
export function readIdentity(value: unknown): TencentDevice {
  const { productId, deviceName, deviceSecret } = (typeof value === "object" && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (typeof productId !== "string" || typeof deviceName !== "string")
    throw new Error("a device has a productId and a deviceName");
  if (deviceSecret === undefined) return { productId, deviceName };
  if (typeof deviceSecret !== "string") throw new Error("deviceSecret is a string");
  return { productId, deviceName, deviceSecret };
}

export function clientIdOf({ productId, deviceName }: TencentDevice): string {
  return productId + deviceName;
}

/** Why a known device is refused, or undefined. The rules of Tencent doc 1105/41824 ("MQTT access"). */
export function accessProblem(device: TencentDevice, attempt: ConnectAttempt): string | undefined {
  const form = /^([^;]*);(\d{1,16});([A-Za-z0-9]{5});(\d{1,20})$/.exec(attempt.username ?? "");
  if (!form) return "user name is not clientId;sdkAppId;connId;expiry";
  const [, clientId, , , expiry] = form;
  if (clientId !== attempt.clientId) return "user name does not begin with the client id";
  if (Number(expiry) * 1000 < attempt.at) return "user name has expired";
  if (device.deviceSecret === undefined) {
    return attempt.certificateName === attempt.clientId ? undefined : "no certificate of this device";
  }
  return passwordMatches(device.deviceSecret, attempt) ? undefined : "wrong password";
}

/** Lower-case hex of HMAC(key = decoded secret, message = user name), then the algorithm. */
function passwordMatches(secret: string, { username = "", password = "" }: ConnectAttempt): boolean {
  const [, algorithm] = /^[0-9a-f]+;hmac(sha1|sha256)$/.exec(password) ?? [];
  if (algorithm === undefined) return false;
  const hex = createHmac(algorithm, Buffer.from(secret, "base64")).update(username).digest("hex");
  const wanted = Buffer.from(`${hex};hmac${algorithm}`);
  const given = Buffer.from(password);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
