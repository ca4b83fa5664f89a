/** A relay between a device and its broker that parses the packets of both and lets a fault decide about each. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { generate, parser } from "mqtt-packet";
import type { Packet } from "mqtt-packet";

/** One device's connection through the relay, and the means to disturb it. */
export interface RelayedConnection {
  /** From 1, since the relay listens. */
  readonly number: number;
  /** Sends a packet, or raw bytes, to the device. */
  toDevice(packet: Packet | Uint8Array): void;
  toBroker(packet: Packet): void;
  /** Resets both ends. */
  reset(): void;
  /** Closes both ends in good order. */
  end(): void;
  /** Nothing passes any more; the connection stays open. */
  mute(): void;
}

/** Decides about each packet. "pass" forwards it; "taken" leaves it to the fault. */
export interface MqttFault {
  /** A device has connected; "refuse" resets it at once. */
  connected?(connection: RelayedConnection): "refuse" | undefined;
  /** From the device. */
  up?(packet: Packet, connection: RelayedConnection): "pass" | "taken";
  /** From the broker. */
  down?(packet: Packet, connection: RelayedConnection): "pass" | "taken";
}

export class MqttRelay {
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #fault: MqttFault;
  readonly #brokerPort: number;

  private constructor(brokerPort: number, fault: MqttFault) {
    this.#brokerPort = brokerPort;
    this.#fault = fault;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of 127.0.0.1; the broker is there too. */
  static async listen(brokerPort: number, fault: MqttFault): Promise<MqttRelay> {
    const relay = new MqttRelay(brokerPort, fault);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once("error", reject);
      relay.#server.listen(0, "127.0.0.1", resolve);
    });
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(device: Socket): void {
    const broker = connect({ host: "127.0.0.1", port: this.#brokerPort, noDelay: true });
    let muted = false;
    const send = (to: Socket, packet: Packet | Uint8Array): void => {
      if (!muted && to.writable) to.write(packet instanceof Uint8Array ? packet : generate(packet));
    };
    const connection: RelayedConnection = {
      number: ++this.connections,
      toDevice: (packet) => send(device, packet),
      toBroker: (packet) => send(broker, packet),
      reset: () => {
        device.resetAndDestroy();
        broker.destroy();
      },
      end: () => {
        device.end();
        broker.end();
      },
      mute: () => void (muted = true),
    };
    for (const [from, to, decide] of [
      [device, broker, this.#fault.up],
      [broker, device, this.#fault.down],
    ] as const) {
      const packets = parser();
      this.#sockets.add(from);
      packets.on("packet", (packet) => {
        if (decide === undefined || decide.call(this.#fault, packet, connection) === "pass") send(to, packet);
      });
      packets.on("error", () => connection.reset());
      from.on("data", (bytes: Buffer) => void packets.parse(bytes));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        if (!muted) to.destroy();
      });
    }
    if (this.#fault.connected?.(connection) === "refuse") connection.reset();
  }
}
