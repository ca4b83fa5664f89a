/** Which setting a column of a list of devices is: by its name on a chip, in device.json, or in a cloud's own export. */
import { PLATFORMS } from "../../src/platforms/index";
import type { Setting } from "../../src/platforms/platform";

/** Settings of every platform, as firmware/settings.ts and the port read them. */
export const COMMON: readonly string[] = [
  "platform",
  "mqttHost",
  "mqttPort",
  "mqttTls",
  "mqttCa",
  "httpsCa",
  "devCertFile",
  "devKeyFile",
  "ssid",
  "password",
  "wifiPassword",
  "sntp",
  "range",
  "crc16",
  "allowHttp",
  "trialSeconds",
  "maxAttempts",
  "repeatBudget",
  "eraseBlock",
  "allowDowngrade",
  "allowNoDigest",
  "allowForeign",
  "allowDelta",
  "recorder",
  "diagTopic",
  "signingKeys",
];

/** ThingsPanel's voucher: JSON with user name and password. No setting of its own. */
export const VOUCHER = "voucher";

/** Other names of settings: those of device.json that NVS is too short for, of the clouds' consoles and APIs. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  diagTopic: ["diagnosticsTopic"],
  productId: ["ProductID", "产品ID", "产品Id"],
  deviceName: ["设备名称", "设备名"],
  deviceSecret: ["DevicePsk", "psk", "设备密钥", "设备秘钥"],
  devCertFile: ["DeviceCert", "设备证书", "clientCert"],
  devKeyFile: ["DevicePrivateKey", "devPrivateKeyFile", "设备私钥", "clientKey"],
  deviceNumber: ["device_number", "设备编号", "设备号"],
  username: ["accessToken", "access_token", "token"],
  [VOUCHER]: ["凭证", "设备凭证"],
};

/** Columns of exports that say nothing to a device. */
const NO_SETTING: readonly string[] = [
  "status online state createTime created_at remark result tag label no id name",
  "状态 设备状态 创建时间 备注 设备备注 标签 序号 结果",
].flatMap((names) => names.split(" "));

const plain = (name: string): string => name.toLowerCase().replace(/[\s_.-]/g, "");

function namesOf({ name, json, nvs = name }: Setting): readonly (readonly [string, string])[] {
  return [name, nvs, ...(json === undefined ? [] : [json, json.split(".").at(-1)!])].map((each) => [each, nvs]);
}

const KNOWN: ReadonlyMap<string, string> = new Map(
  [
    ...Object.entries(ALIASES).flatMap(([key, names]) => [key, ...names].map((name) => [name, key] as const)),
    ...["host", "port", "tls", "ca"].map(
      (key) => [`mqtt.${key}`, `mqtt${key[0]!.toUpperCase()}${key.slice(1)}`] as const,
    ),
    ["https.ca", "httpsCa"] as const,
    ...PLATFORMS.flatMap(({ settings }) => settings().flatMap(namesOf)),
    ...COMMON.map((key) => [key, key] as const),
  ].map(([name, key]) => [plain(name), key]),
);

/** Keys that a chip's settings can have. */
export const KEYS: readonly string[] = [...new Set(KNOWN.values())].filter((key) => key !== VOUCHER).sort();

/** The setting of a column; null: a column of an export that is left out; undefined: not known. */
export function settingOf(column: string): string | null | undefined {
  const found = KNOWN.get(plain(column));
  if (found !== undefined) return found;
  return NO_SETTING.some((name) => plain(name) === plain(column)) ? null : undefined;
}
