import type { Crypto } from "../../ports";
import { decodeBase64 } from "../../util/base64";
import { toHex } from "../../util/hex";
import { hmac } from "../../util/hmac";
import { encodeUtf8 } from "../../util/utf8";

/**
 * MQTT user name and password of a device on Tencent IoT Hub and IoT Explorer: "Device connection", Tencent document
 * 1105/41824, as the vendor's SDKs build them.
 */

/** `sdkAppId` of the vendor's C and Python SDKs. */
export const SDK_APP_ID = "21010406";
/**
 * End of validity, Unix seconds: the largest value of 31 bits, as in the vendor's SDKs. Devices often have no clock.
 */
const EXPIRY = 2_147_483_647;

const CONNECTION_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const CONNECTION_ID_LENGTH = 5;

export type HmacAlgorithm = "SHA256" | "SHA1";

export const clientIdOf = (productId: string, deviceName: string): string => {
  return productId + deviceName;
};

/** Tells the connections of one device apart; random for each. */
export const connectionId = (crypto: Crypto): string => {
  let id = "";
  for (let i = 0; i < CONNECTION_ID_LENGTH; i++)
    id += CONNECTION_ID[Math.floor(crypto.random() * CONNECTION_ID.length)]!;
  return id;
};

export const usernameOf = (clientId: string, sdkAppId: string, connection: string, expiry = EXPIRY): string => {
  return `${clientId};${sdkAppId};${connection};${expiry}`;
};

/** KEY mode: the HMAC of the user name under the device's secret, and the name of the HMAC. */
export const passwordOf = (crypto: Crypto, algorithm: HmacAlgorithm, key: Uint8Array, username: string): string => {
  return `${toHex(hmac(crypto, algorithm, key, encodeUtf8(username)))};hmac${algorithm.toLowerCase()}`;
};

/**
 * Decodes the secret, base64 as in the console. The caller overwrites the result. Throws with one line that does not
 * show it.
 */
export const secretKey = (deviceSecret: string | (() => string | undefined) | undefined): Uint8Array => {
  const text = typeof deviceSecret === "function" ? deviceSecret() : deviceSecret;
  if (!text) throw new Error("deviceSecret: needed in KEY mode");
  try {
    return decodeBase64(text);
  } catch (error) {
    throw new Error(`deviceSecret: ${(error as Error).message}`, { cause: error });
  }
};
