/**
 * An app whose own MQTT client the agent uses: Tencent IoT allows a device one connection, and this one also publishes
 * temperatures. xs-ota/external-mqtt says what the SDK's client does not do.
 */
import config from "mc/config";
import Timer from "timer";
import TCP from "embedded:io/socket/tcp";
import UDP from "embedded:io/socket/udp";
import MQTTClient from "embedded:network/mqtt/client";
import Resolver from "embedded:network/dns/resolver/udp";
import OtaAgent from "xs-ota";
import type { BrokerPlatform } from "xs-ota";
import { ExternalMqtt } from "xs-ota/external-mqtt";
import type { ControlMessage, ExternalClient, ReadableOptions } from "xs-ota/external-mqtt";
import { powerOn } from "xs-ota/moddable";
import type { Device } from "xs-ota/moddable";
import { TencentPlatform } from "xs-ota/tencent";

/** As it is implemented: the SDK's declaration of onControl differs. */
type Client = ExternalClient & { close(): void };
type ClientClass = new (options: object) => Client;

const RETRY = 5_000;

const setting =
  (device: Device) =>
  (key: string): string =>
    String(device.setting(key) ?? config[key] ?? "");

/** The app's connection: opened again whenever it ends. */
class Connection {
  #client: Client | undefined;
  #timer: Timer | undefined;
  readonly #link: ExternalMqtt;
  readonly #platform: BrokerPlatform;
  readonly #host: string;
  readonly #port: number;

  constructor(link: ExternalMqtt, platform: BrokerPlatform, host: string, port: number) {
    this.#link = link;
    this.#platform = platform;
    this.#host = host;
    this.#port = port;
  }

  open(): void {
    const { clientId: id, username: user, password } = this.#platform.identity();
    const client = new (MQTTClient as unknown as ClientClass)({
      host: this.#host,
      port: this.#port,
      id,
      user,
      password,
      keepAlive: 60_000,
      dns: { io: Resolver, servers: ["1.1.1.1"], socket: { io: UDP } },
      socket: { io: TCP },
      onControl: (message: ControlMessage) => {
        if (message.operation === MQTTClient.CONNACK) this.#link.connected(client);
        else this.#link.control(message);
      },
      onReadable: (count: number, options: ReadableOptions) => {
        // What is not the agent's is the app's own.
        if (!this.#link.readable(client, count, options)) client.read(new Uint8Array(count));
      },
      onWritable: () => this.#link.writable(),
      onError: () => this.ended(client),
    });
    this.#client = client;
  }

  close(): void {
    Timer.clear(this.#timer);
    this.#timer = undefined;
    this.#client?.close();
    this.#client = undefined;
  }

  private ended(client: Client): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    this.#link.disconnected("the app's connection has ended");
    this.#timer = Timer.set(() => this.open(), RETRY);
  }
}

// Last: it starts at once, and what it needs is defined above.
powerOn((device) => {
  const text = setting(device);
  const platform = new TencentPlatform(
    {
      productId: text("productId"),
      deviceName: text("deviceName"),
      authMode: "KEY",
      deviceSecret: text("deviceSecret"),
    },
    device.ports.crypto,
  );
  const link = new ExternalMqtt();
  const connection = new Connection(link, platform, text("mqttHost"), Number(text("mqttPort")));
  const agent = new OtaAgent({
    ports: device.ports,
    platform,
    link,
    policy: { allowHttp: true },
    onNotice: (notice) => trace(`${JSON.stringify(notice)}\n`),
  });
  device.connect(() => connection.open());
  return {
    stop() {
      agent.stop();
      connection.close();
    },
  };
});
