import { linkToBroker } from "../../agent/mqtt-cloud";
import type { Identity, Message } from "../../mqtt/message";
import type { Crypto } from "../../ports";
import { MESSAGE_MAX, MQTT_KEEPALIVE, RESUME_DELAY, URL_MAX } from "../../constants";
import type { Task } from "../../job/types";
import { integerMember, member, stringMember } from "../../util/json";
import type { JsonObject } from "../../util/json";
import { truncateUtf8, utf8Length } from "../../util/utf8";
import { badOffer, ignored, readObject } from "../incoming";
import type { BrokerPlatform } from "../broker-platform";
import { RESULT_CODES } from "../result-codes";
import type {
  CloudLink,
  Incoming,
  LinkContext,
  PlatformDefinition,
  PlatformRules,
  BrokerReport,
  Setting,
} from "../platform";
import { SDK_APP_ID, clientIdOf, connectionId, passwordOf, secretKey, usernameOf } from "./auth";
import type { HmacAlgorithm } from "./auth";

/**
 * Tencent IoT Hub; IoT Explorer uses the same topics. Message shapes: "Device firmware update", Tencent document
 * 1105/41507. Where the document is silent, this follows the vendor's C, Python and Java SDKs.
 */

export interface TencentConfig {
  readonly productId: string;
  readonly deviceName: string;
  /**
   * "KEY": the password comes from the device's secret. "CERT": the TLS client certificate is the identity, and there
   * is no password.
   */
  readonly authMode: "KEY" | "CERT";
  /** Base64; KEY mode only. A function is called at each connect. */
  readonly deviceSecret?: string | (() => string | undefined);
  /** Default SHA256; the platform accepts both. */
  readonly hmac?: HmacAlgorithm;
  readonly sdkAppId?: string;
  /** Seconds, 0 to 900 (Tencent document 1105/41824). */
  readonly keepAlive?: number;
}

const KEEPALIVE_MAX = 900;
/** Longest version the platform knows (C SDK, qcloud_iot_export.h). */
const VERSION_MAX = 32;

/** Result codes of document 1105/41507. A cause without a code of its own is -5, "firmware update failed". */
/** Default broker of a product: TLS, region China. */
export const defaultBroker = (productId: string): { readonly host: string; readonly port: number } => {
  return { host: `${productId}.iotcloud.tencentdevices.com`, port: 8883 };
};

/** In device.json the keys are those of the vendor's device_info.json. */
const settings = (): Setting[] => [
  /** ProductID, as the console shows it. */
  { name: "productId", required: true },
  /** DeviceName, as the console shows it. */
  { name: "deviceName", required: true },
  /** `KEY`: the password comes from the device's secret. `CERT`: a TLS client certificate instead of a password. */
  { name: "authMode", json: "auth_mode", required: true, oneOf: ["KEY", "CERT"] },
  /** HMAC of the password; default: `SHA256`. The platform accepts both. */
  { name: "hmac", oneOf: ["SHA256", "SHA1"] },
  /** DeviceSecret, as the console shows it (base64). */
  {
    name: "deviceSecret",
    json: "key_deviceinfo.deviceSecret",
    when: "authMode=KEY",
    secret: "fetched",
  },
  /** The client certificate. */
  {
    name: "devCertFile",
    json: "cert_deviceinfo.devCertFile",
    when: "authMode=CERT",
    file: "certificate",
  },
  /** The private key of the client certificate. */
  {
    name: "devKeyFile",
    json: "cert_deviceinfo.devPrivateKeyFile",
    when: "authMode=CERT",
    file: "privateKey",
  },
];

export class TencentPlatform implements BrokerPlatform {
  readonly name = "tencent";
  readonly subscriptions: readonly string[];
  readonly rules: PlatformRules = {
    versionReport: true,
    versionWhileBusy: true,
    renewable: true,
    resumeDelay: RESUME_DELAY,
  };
  private readonly config: TencentConfig;
  private readonly crypto: Crypto;
  private readonly updateTopic: string;
  private readonly reportTopic: string;

  /** Throws with one line that names the setting if the configuration can not work. */
  constructor(config: TencentConfig, crypto: Crypto) {
    const { productId, deviceName, authMode, deviceSecret, hmac, keepAlive = MQTT_KEEPALIVE } = config;
    checkName("productId", productId);
    checkName("deviceName", deviceName);
    if (authMode !== "KEY" && authMode !== "CERT") throw new Error('authMode: "KEY" or "CERT"');
    if (hmac !== undefined && hmac !== "SHA256" && hmac !== "SHA1") throw new Error('hmac: "SHA256" or "SHA1"');
    if (!Number.isInteger(keepAlive) || keepAlive < 0 || keepAlive > KEEPALIVE_MAX)
      throw new Error(`keepAlive: whole seconds from 0 to ${KEEPALIVE_MAX}`);
    this.config = config;
    this.crypto = crypto;
    if (authMode === "KEY") secretKey(deviceSecret).fill(0);
    this.updateTopic = `$ota/update/${productId}/${deviceName}`;
    this.reportTopic = `$ota/report/${productId}/${deviceName}`;
    this.subscriptions = [this.updateTopic];
  }

  link(context: LinkContext): CloudLink {
    return linkToBroker(this, context);
  }

  identity(): Identity {
    const {
      productId,
      deviceName,
      authMode,
      deviceSecret,
      hmac = "SHA256",
      sdkAppId = SDK_APP_ID,
      keepAlive = MQTT_KEEPALIVE,
    } = this.config;
    const clientId = clientIdOf(productId, deviceName);
    const username = usernameOf(clientId, sdkAppId, connectionId(this.crypto));
    if (authMode === "CERT") return { clientId, username, keepAlive };
    const key = secretKey(deviceSecret);
    const password = passwordOf(this.crypto, hmac, key, username);
    key.fill(0);
    return { clientId, username, password, keepAlive };
  }

  parse(topic: string, payload: Uint8Array): Incoming {
    if (topic !== this.updateTopic) return ignored("another topic");
    const message = readObject(payload);
    if (typeof message === "string") return ignored(message);
    switch (member(message, "type")) {
      case "report_version_rsp":
        return versionAnswer(message);
      case "update_firmware":
        return offer(message);
      default:
        return ignored("a message of another type");
    }
  }

  encode(report: BrokerReport): Message {
    switch (report.kind) {
      case "version":
        return this.message(1, { type: "report_version", report: { version: report.version } });
      case "progress":
        // QoS 0: the next report replaces a lost one.
        return this.progress(
          0,
          report.task,
          { state: "downloading", percent: String(report.percent) },
          0,
          truncateUtf8(report.note ?? "", MESSAGE_MAX),
        );
      case "burning":
        return this.progress(1, report.task, { state: "burning" });
      case "outcome":
        return report.outcome.kind === "done"
          ? this.progress(1, report.task, { state: "done" })
          : this.progress(
              1,
              report.task,
              { state: "fail" },
              RESULT_CODES[report.outcome.cause],
              truncateUtf8(report.outcome.message, MESSAGE_MAX),
            );
    }
  }

  /** Every value of `progress` is a string, numbers too. */
  private progress(qos: 0 | 1, task: Task, state: { readonly [key: string]: string }, code = 0, text = ""): Message {
    return this.message(qos, {
      type: "report_progress",
      report: { progress: { ...state, result_code: String(code), result_msg: text }, version: task.version },
    });
  }

  private message(qos: 0 | 1, content: object): Message {
    return { topic: this.reportTopic, payload: JSON.stringify(content), qos };
  }
}

/** Tencent IoT Hub and IoT Explorer. */
export const tencent: PlatformDefinition<TencentConfig> = Object.freeze({
  name: "tencent",
  settings,
  title: "deviceName",
  codes: RESULT_CODES,
  brokerHost: (config: TencentConfig) => defaultBroker(config.productId).host,
  Platform: TencentPlatform,
});

/** The two names become parts of topics, of the client id and of the user name. */
const checkName = (setting: string, value: unknown): void => {
  if (typeof value !== "string" || value === "") throw new Error(`${setting}: missing`);
  if (/[\0-\x20\x7f/+#;]/.test(value))
    throw new Error(`${setting}: has a character that no topic or user name can carry`);
};

/** `result_code` is a number in current answers and a string in older ones. */
const versionAnswer = (message: JsonObject): Incoming => {
  const code = integerMember(message, "result_code");
  const text = stringMember(message, "result_msg") ?? "";
  return {
    kind: "version-answer",
    accepted: code === 0,
    message: truncateUtf8(text || `result_code ${code ?? "missing"}`, MESSAGE_MAX),
  };
};

/**
 * A report names its task by the version. So a push with a version is answered where another field is missing or wrong,
 * and a push without one is ignored.
 */
const offer = (message: JsonObject): Incoming => {
  const version = stringMember(message, "version");
  if (!version || version.length > VERSION_MAX)
    return ignored(`an offer without a version of 1 to ${VERSION_MAX} characters`);
  const url = stringMember(message, "url");
  const md5 = stringMember(message, "md5sum");
  const size = integerMember(message, "file_size");
  if (!url) return badOffer({ version }, "url: missing");
  if (utf8Length(url) > URL_MAX) return badOffer({ version }, `url: longer than ${URL_MAX} bytes`);
  // The URL is used verbatim, escapes included. A control character or a space could end the request line.
  if (/[\0-\x20\x7f]/.test(url)) return badOffer({ version }, "url: has a space or a control character in it");
  if (!/^https?:\/\/[^/]/i.test(url)) return badOffer({ version }, "url: not an http or https URL");
  if (!md5 || !/^[0-9a-f]{32}$/i.test(md5)) return badOffer({ version }, "md5sum: not 32 hex digits");
  if (size === undefined || size <= 0) return badOffer({ version }, "file_size: not a whole number above 0");
  return { kind: "offer", offer: { version, size, url, digest: { algorithm: "MD5", hex: md5.toLowerCase() } } };
};
