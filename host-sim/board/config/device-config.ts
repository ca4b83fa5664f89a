/** device.json: what a device is told at the factory. The vendor's own keys as they are, ours beside them. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createSecureContext } from "node:tls";
import { REPEAT_BUDGET_MAX, TRIAL_SECONDS_MAX, TRIAL_SECONDS_MIN } from "../../../src/constants";
import type { BrokerAddress, Policy } from "../../../src/index";
import { NodeCrypto } from "../node-crypto";
import type { NodeNetworkOptions, Trust } from "../node-network";
import type { FirmwareConfiguration } from "../firmware/configuration";
import { createPlatform } from "../firmware/platforms";
import { exposure } from "./exposure";
import { fileReason } from "./file-errors";
import { JsonFields } from "./json-fields";
import { PemFiles } from "./pem-files";
import type { PlatformFields } from "./platform-fields";
import { tencentFields } from "./tencent-fields";
import { thingspanelFields } from "./thingspanel-fields";

export interface DeviceConfig {
  readonly firmware: FirmwareConfiguration;
  readonly trust: Pick<NodeNetworkOptions, "mqtt" | "https">;
  /** Bytes; undefined where the file does not say. */
  readonly flashSize: number | undefined;
  /** One line each, for the engineer; none shows a secret. */
  readonly warnings: readonly string[];
}

const PLATFORMS = { tencent: tencentFields, thingspanel: thingspanelFields } as const;

const FLASH_SIZES = ["4MB", "8MB", "16MB"] as const;
/** 32 bytes in base64. */
const PIN = /^[A-Za-z0-9+/]{43}=$/;
/** Of an unencrypted broker. */
const PLAIN_PORT = 1883;

/** Reads and checks the file at `path`. Throws one line that names the file and the key. */
export function readDeviceConfig(path: string): DeviceConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${path} can not be read: ${fileReason(error)}`, { cause: error });
  }
  try {
    const files = new PemFiles(dirname(path));
    const { secret, warnings, ...config } = parse(parseText(text), files);
    const exposed = secret ? exposure(path) : undefined;
    return { ...config, warnings: [...warnings, ...(exposed === undefined ? [] : [exposed]), ...files.exposed] };
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The engine's own message quotes the text, which may hold a secret. */
function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = position === undefined ? "" : ` (line ${text.slice(0, Number(position)).split("\n").length})`;
    throw new Error(`is not JSON${line}`, { cause: error });
  }
}

function parse(value: unknown, files: PemFiles): DeviceConfig & { readonly secret: boolean } {
  const fields = new JsonFields(value);
  const kind = fields.oneOf("platform", Object.keys(PLATFORMS) as (keyof typeof PLATFORMS)[]);
  if (kind === undefined) throw fields.error("platform", "is missing");
  const given = PLATFORMS[kind](fields, files);
  const mqtt = fields.object("mqtt");
  const https = fields.object("https");
  const tls = mqtt?.boolean("tls") ?? true;
  const broker: BrokerAddress = {
    host: mqtt?.string("host") ?? given.broker.host,
    port: mqtt?.integer("port", 1, 65_535) ?? (tls ? given.broker.port : PLAIN_PORT),
    tls,
  };
  if (broker.host === "") throw fields.error("mqtt.host", "is empty");
  if (given.credentials !== undefined && !tls)
    throw fields.error("auth_mode", "a certificate needs TLS, and mqtt.tls is false");
  const trust = {
    mqtt: { ...given.credentials, ...trustOf(mqtt, files) },
    https: trustOf(https, files),
  };
  const policy = policyOf(fields, tls, files);
  const flashSize = fields.oneOf("flashSize", FLASH_SIZES);
  const modules = fields.texts("modules");
  const crc16 = fields.boolean("crc16");
  checkTogether(given, trust.mqtt);
  return {
    firmware: {
      platform: given.platform,
      broker,
      policy,
      ...(crc16 === undefined ? {} : { download: { crc16 } }),
      ...(modules === undefined ? {} : { modules }),
    },
    trust,
    flashSize: flashSize === undefined ? undefined : Number.parseInt(flashSize, 10) << 20,
    warnings: fields.unknown().map((key) => `unknown key ${key} is ignored`),
    secret: given.secret,
  };
}

function trustOf(fields: JsonFields | undefined, files: PemFiles): Trust {
  if (fields === undefined) return {};
  const ca = files.certificates(fields, "ca");
  const pins = fields.strings("pin");
  if (pins?.some((pin) => !PIN.test(pin)) === true)
    throw fields.error("pin", "SHA-256 of a public key in base64 is expected, 44 characters each");
  return { ...(ca === undefined ? {} : { ca }), ...(pins === undefined ? {} : { pins }) };
}

function policyOf(fields: JsonFields, tls: boolean, files: PemFiles): Partial<Policy> {
  const policy = {
    signingKeys: files.publicKeys(fields, "signingKeys"),
    trialSeconds: fields.integer("trialSeconds", TRIAL_SECONDS_MIN, TRIAL_SECONDS_MAX),
    maxAttempts: fields.integer("maxAttempts", 1, 100),
    repeatBudget: fields.integer("repeatBudget", 0, REPEAT_BUDGET_MAX),
    allowDowngrade: fields.boolean("allowDowngrade"),
    allowNoDigest: fields.boolean("allowNoDigest"),
    allowForeign: fields.boolean("allowForeign"),
    // A download is as private as the connection that announced it, unless somebody says otherwise.
    allowHttp: fields.boolean("allowHttp") ?? !tls,
  };
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined)) as Partial<Policy>;
}

/** What each key alone does not show: the platform's own rules, and a certificate with the key of another. */
function checkTogether(given: PlatformFields, trust: Trust): void {
  createPlatform(given.platform, new NodeCrypto());
  if (trust.certificate === undefined || trust.privateKey === undefined) return;
  try {
    createSecureContext({ cert: trust.certificate, key: trust.privateKey });
  } catch (error) {
    throw new Error("cert_deviceinfo: the private key is not that of the certificate", { cause: error });
  }
}
