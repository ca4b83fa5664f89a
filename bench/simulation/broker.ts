/**
 * A broker with one client and one task for it, on Tencent's topics. It pushes the task until the client reports the
 * task's version.
 */
import { generate, parser } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import { perConnection } from "../../tests/kit/peer";
import type { Connection, Peer } from "../../tests/kit/peer";

export interface Task {
  readonly version: string;
  readonly file_size: number;
  readonly md5sum: string;
  readonly url: string;
}

export interface Cloud {
  /** Undefined: nothing to push. */
  task: Task | undefined;
  /** Versions and progress states that the device reported, in order. */
  readonly reports: string[];
  packets: number;
  /** Pushes the task to the device that is connected; set by the broker. */
  push?: () => void;
}

export function broker(cloud: Cloud): Peer {
  return perConnection((connection) => new BrokerSession(cloud, connection));
}

class BrokerSession {
  readonly #cloud: Cloud;
  readonly #connection: Connection;
  readonly #parser = parser();
  #topic = "";
  #number = 0;

  constructor(cloud: Cloud, connection: Connection) {
    this.#cloud = cloud;
    this.#connection = connection;
    this.#parser.on("packet", (packet) => this.#packet(packet));
  }

  received(bytes: Uint8Array): void {
    this.#parser.parse(Buffer.from(bytes));
  }

  #send(packet: Packet): void {
    this.#connection.send(generate(packet));
  }

  #packet(packet: Packet): void {
    this.#cloud.packets++;
    switch (packet.cmd) {
      case "connect":
        return this.#send({ cmd: "connack", returnCode: 0, sessionPresent: false });
      case "subscribe":
        this.#topic = packet.subscriptions[0]!.topic;
        this.#cloud.push = () => this.#publish({ type: "update_firmware", ...this.#cloud.task });
        return this.#send({ cmd: "suback", messageId: packet.messageId!, granted: [1] });
      case "pingreq":
        return this.#send({ cmd: "pingresp" });
      case "publish":
        if (packet.qos === 1) this.#send({ cmd: "puback", messageId: packet.messageId! });
        return this.#published(
          JSON.parse(packet.payload.toString()) as {
            type: string;
            report: { version?: string; progress?: { state: string } };
          },
        );
      default:
    }
  }

  #published({ type, report }: { type: string; report: { version?: string; progress?: { state: string } } }): void {
    const { task, reports } = this.#cloud;
    reports.push(type === "report_version" ? `version ${report.version}` : report.progress!.state);
    if (type !== "report_version") return;
    this.#publish({ type: "report_version_rsp", result_code: 0, result_msg: "success" });
    if (task !== undefined && report.version !== task.version) this.#publish({ type: "update_firmware", ...task });
  }

  #publish(message: object): void {
    this.#send({
      cmd: "publish",
      topic: this.#topic,
      payload: JSON.stringify(message),
      qos: 1,
      dup: false,
      retain: false,
      messageId: (this.#number++ % 65_535) + 1,
    });
  }
}
