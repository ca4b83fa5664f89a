import { createHmac } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingHttpHeaders } from "node:http";
import { request as requestTls } from "node:https";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import type { CloudOptions } from "../../host-sim/cloud/core/cloud-options";
import type { TencentDevice } from "../../host-sim/cloud/core/platforms/tencent/access";

export const BOARD: TencentDevice & { deviceSecret: string } = {
  productId: "A1B2C3D4E5",
  deviceName: "ota-bench-01",
  deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
};
export const BOARD_ID = "tencent/A1B2C3D4E5/ota-bench-01";
export const REPORT = "$ota/report/A1B2C3D4E5/ota-bench-01";
export const UPDATE = "$ota/update/A1B2C3D4E5/ota-bench-01";

/** A running cloud, stopped after `use` whatever happens. */
export async function withCloud(options: CloudOptions, use: (cloud: Cloud) => Promise<void>): Promise<void> {
  const cloud = await createCloud(options);
  await cloud.start();
  try {
    await use(cloud);
  } finally {
    await cloud.stop();
  }
}

/** Resolves when the cloud has received messages from the device that contain these texts, in this order. */
export async function heard(cloud: Cloud, device: string, ...texts: readonly string[]): Promise<void> {
  const all = (): boolean => {
    const messages = cloud.devices.messages(device).filter(({ direction }) => direction === "up");
    let at = 0;
    return texts.every((text) => {
      while (at < messages.length && !messages[at]!.payload.includes(text)) at++;
      return at++ < messages.length;
    });
  };
  while (!all()) await once(cloud, "message");
}

/** Bytes that repeat nowhere near. */
export function firmware(size: number, salt = 1): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8) * 17 + salt) & 0xff);
}

export function credentials(
  device: { productId: string; deviceName: string; deviceSecret: string },
  algorithm: "sha1" | "sha256" = "sha256",
  expiry = "2147483647",
): { clientId: string; username: string; password: string } {
  const clientId = device.productId + device.deviceName;
  const username = `${clientId};12010126;a1B2c;${expiry}`;
  const key = Buffer.from(device.deviceSecret, "base64");
  return {
    clientId,
    username,
    password: `${createHmac(algorithm, key).update(username).digest("hex")};hmac${algorithm}`,
  };
}

/** Connects once, without the client's own reconnects; rejects with its error. */
export function mqtt(options: IClientOptions): Promise<MqttClient> {
  const client = connect({ host: "127.0.0.1", reconnectPeriod: 0, protocolVersion: 4, ...options });
  return new Promise((resolve, reject) => {
    client.once("connect", () => resolve(client));
    client.once("error", reject);
    client.once("close", () => reject(new Error("closed")));
  });
}

/** Resolves when the connection is gone. */
export function closing(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once("close", () => resolve()));
}

/** A connected device that collects what it is sent. */
export class Board {
  readonly client: MqttClient;
  readonly #inbox: Record<string, unknown>[] = [];
  readonly #texts: string[] = [];
  #wake: (() => void) | undefined;

  constructor(client: MqttClient) {
    this.client = client;
    client.on("error", () => undefined);
    client.on("message", (_topic, payload, packet) => {
      this.#inbox.push({ ...(JSON.parse(payload.toString()) as object), qos: packet.qos });
      this.#texts.push(payload.toString());
      this.#wake?.();
    });
  }

  static async connect(cloud: Cloud, device = BOARD): Promise<Board> {
    const board = new Board(await mqtt({ port: cloud.mqttPort, ...credentials(device) }));
    await board.client.subscribeAsync(`$ota/update/${device.productId}/${device.deviceName}`, { qos: 1 });
    return board;
  }

  /** The next message, in the order of arrival. */
  async next(): Promise<Record<string, unknown>> {
    while (this.#inbox.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#inbox.shift()!;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  async version(version: string): Promise<void> {
    await this.client.publishAsync(REPORT, JSON.stringify({ type: "report_version", report: { version } }), { qos: 1 });
  }

  async progress(version: string, progress: Record<string, unknown>, qos: 0 | 1 = 1, dup = false): Promise<void> {
    const full = { result_code: "0", result_msg: "", ...progress };
    const payload = JSON.stringify({ type: "report_progress", report: { progress: full, version } });
    await this.client.publishAsync(REPORT, payload, { qos, dup });
  }

  async leave(): Promise<void> {
    await this.client.endAsync(true);
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export function http(
  url: string,
  options: { method?: string; headers?: Record<string, string>; ca?: string } = {},
): Promise<Reply> {
  const { method = "GET", headers = {}, ca } = options;
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? requestTls : request;
    const sent = send(url, { method, headers, agent: false, ...(ca === undefined ? {} : { ca }) }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}
