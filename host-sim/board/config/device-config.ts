/** Reads device.json: cloud, identity and policy of a device. Tencent's keys are those of the vendor's own file. */
import { dirname } from "node:path";
import { createSecureContext } from "node:tls";
import { REPEAT_BUDGET_MAX, TRIAL_SECONDS_MAX, TRIAL_SECONDS_MIN } from "../../../src/constants";
import type { BrokerAddress, Policy } from "../../../src/index";
import { PLATFORMS } from "../../../src/platforms/index";
import type { AnyPlatform } from "../../../src/platforms/platform";
import { NodeCrypto } from "../node-crypto";
import type { NodeNetworkOptions, Trust } from "../node-network";
import type { FirmwareConfiguration } from "../firmware/configuration";
import { exposure } from "./exposure";
import { hostName } from "./host-name";
import { JsonFields } from "./json-fields";
import { PemFiles } from "./pem-files";
import { platformFields } from "./platform-fields";
import { topicProblem } from "./publish-topic";
import type { PlatformFields } from "./platform-fields";
import { readJson } from "./text-file";

export interface DeviceConfig {
  readonly firmware: FirmwareConfiguration;
  readonly trust: Pick<NodeNetworkOptions, "mqtt" | "https">;
  /** Bytes; undefined where the file does not say. */
  readonly flashSize: number | undefined;
  /** One line each, for the engineer; none shows a secret. */
  readonly warnings: readonly string[];
}

const FLASH_SIZES = ["4MB", "8MB", "16MB"] as const;
/** 32 bytes in base64. */
const PIN = /^[A-Za-z0-9+/]{43}=$/;
/** MQTT over TLS, and over plain TCP (IANA). */
const TLS_PORT = 8883;
const PLAIN_PORT = 1883;

/** Reads and checks the file at `path`. Throws one line that names the file and the key. */
export function readDeviceConfig(path: string, platforms: readonly AnyPlatform[] = PLATFORMS): DeviceConfig {
  const value = readJson(path);
  try {
    const files = new PemFiles(dirname(path));
    const { secret, warnings, ...config } = parse(value, files, platforms);
    const exposed = secret ? exposure(path) : undefined;
    return { ...config, warnings: [...warnings, ...(exposed === undefined ? [] : [exposed]), ...files.exposed] };
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

function parse(
  value: unknown,
  files: PemFiles,
  platforms: readonly AnyPlatform[],
): DeviceConfig & { readonly secret: boolean } {
  const fields = new JsonFields(value);
  const kind = fields.oneOf(
    "platform",
    platforms.map(({ name }) => name),
  );
  if (kind === undefined) throw fields.error("platform", "is missing");
  const definition = platforms.find(({ name }) => name === kind)!;
  const given = platformFields(definition, fields, files);
  const server = definition.server?.(given.platform as never);
  const mqtt = server === undefined ? fields.object("mqtt") : undefined;
  const https = fields.object("https");
  const broker =
    server === undefined ? brokerOf(fields, mqtt, definition.brokerHost?.(given.platform as never)) : undefined;
  const tls = broker?.tls ?? !/^http:/i.test(server ?? "");
  if (given.credentials !== undefined && !tls)
    throw fields.error(given.credentials.chosenBy, "a certificate needs TLS, and mqtt.tls is false");
  const trust = {
    mqtt: { ...given.credentials?.trust, ...trustOf(mqtt, files) },
    https: trustOf(https, files),
  };
  const policy = policyOf(fields, tls, files);
  const flashSize = fields.oneOf("flashSize", FLASH_SIZES);
  const modules = fields.texts("modules");
  const crc16 = fields.boolean("crc16");
  const recorder = fields.boolean("recorder");
  const diagnosticsTopic = fields.string("diagnosticsTopic");
  const problem = diagnosticsTopic === undefined ? undefined : topicProblem(diagnosticsTopic);
  if (problem !== undefined) throw fields.error("diagnosticsTopic", problem);
  checkTogether(definition, given, trust.mqtt);
  return {
    firmware: {
      platform: given.platform,
      ...(broker === undefined ? {} : { broker }),
      policy,
      ...(crc16 === undefined ? {} : { download: { crc16 } }),
      ...(modules === undefined ? {} : { modules }),
      ...(recorder === undefined ? {} : { recorder }),
      ...(diagnosticsTopic === undefined ? {} : { diagnosticsTopic }),
    },
    trust,
    flashSize: flashSize === undefined ? undefined : Number.parseInt(flashSize, 10) << 20,
    warnings: fields.unknown().map((key) => `unknown key ${key} is ignored`),
    secret: given.secret,
  };
}

function brokerOf(fields: JsonFields, mqtt: JsonFields | undefined, usual: string | undefined): BrokerAddress {
  const tls = mqtt?.boolean("tls") ?? true;
  const host = givenHost(mqtt) ?? usual;
  if (host === undefined) throw fields.error("mqtt.host", "is missing");
  return { host, port: mqtt?.integer("port", 1, 65_535) ?? (tls ? TLS_PORT : PLAIN_PORT), tls };
}

function givenHost(mqtt: JsonFields | undefined): string | undefined {
  const text = mqtt?.string("host");
  if (text === undefined) return undefined;
  try {
    return hostName(text, "mqtt.port");
  } catch (error) {
    throw mqtt!.error("host", (error as Error).message);
  }
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
    eraseBlock: eraseBlockOf(fields),
    allowDowngrade: fields.boolean("allowDowngrade"),
    allowNoDigest: fields.boolean("allowNoDigest"),
    allowForeign: fields.boolean("allowForeign"),
    allowDelta: fields.boolean("allowDelta"),
    // Plain downloads are refused while the cloud is reached over TLS, unless device.json allows them.
    allowHttp: fields.boolean("allowHttp") ?? !tls,
  };
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined)) as Partial<Policy>;
}

function eraseBlockOf(fields: JsonFields): number | undefined {
  const kib = fields.integer("eraseBlock", 4, 64);
  if (kib !== undefined && kib !== 4 && kib !== 64) throw fields.error("eraseBlock", "64 or 4 (KiB) is expected");
  return kib;
}

/** Checks what no key shows alone: the platform's own rules, and that the private key is that of the certificate. */
function checkTogether(definition: AnyPlatform, { platform, credentials }: PlatformFields, trust: Trust): void {
  void new definition.Platform(platform as never, new NodeCrypto());
  if (credentials === undefined || trust.certificate === undefined || trust.privateKey === undefined) return;
  try {
    createSecureContext({ cert: trust.certificate, key: trust.privateKey });
  } catch (error) {
    throw new Error(`${credentials.namedIn}: the private key is not that of the certificate`, { cause: error });
  }
}
