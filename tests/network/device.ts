/** The whole agent on a board in memory, with real sockets and virtual time. */
import type { ConnectOptions, Flash, Network, Socket, SocketError } from "../../src/ports";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { NodeNetwork } from "../../host-sim/board/node-network";
import type { NodeNetworkOptions } from "../../host-sim/board/node-network";
import { createPlatform } from "../../host-sim/board/firmware/platforms";
import type { PlatformConfiguration } from "../../host-sim/board/firmware/configuration";
import { buildImage } from "../../hal/model-chip/build-image";
import { SECTOR } from "../../src/constants";
import { OtaAgent } from "../../src/index";
import type { BrokerAddress, Notice } from "../../src/index";
import { SocketClock } from "../kit/socket-clock";

export const SIZE = 9 * SECTOR + 777;

/** Its padding is its own: a sector that is left from another image must not pass for one of this. */
export function firmware(version: string, size = SIZE): Uint8Array {
  return buildImage({ version, payload: Buffer.from(`firmware ${version}`), size, seed: `${version} ${size}` });
}

const FACTORY = new MemoryBoard({ factoryImage: firmware("0.1.0") });

export interface NetworkDeviceOptions {
  readonly platform: PlatformConfiguration;
  readonly broker: BrokerAddress;
  readonly trust?: Pick<NodeNetworkOptions, "mqtt" | "https">;
  readonly allowHttp?: boolean;
  /** What the network itself does about a connect: an error, or nothing at all. */
  readonly obstacle?: (options: ConnectOptions) => SocketError | "silence" | undefined;
}

export interface Connect {
  readonly at: number;
  readonly port: number;
  readonly tls: boolean;
}

export class NetworkDevice {
  readonly clock = new SocketClock();
  readonly notices: Notice[] = [];
  readonly log: string[] = [];
  readonly connects: Connect[] = [];
  /** Sectors of the inactive slot that were written since `forget`. */
  readonly written = new Set<number>();
  readonly #options: NetworkDeviceOptions;
  readonly #board: MemoryBoard;
  readonly #network: Network;
  #agent: OtaAgent | undefined;

  constructor(options: NetworkDeviceOptions) {
    this.#options = options;
    this.#network = this.#watched(new NodeNetwork({ ...options.trust, onTraffic: () => this.clock.stir() }));
    this.#board = FACTORY.fork(() => setImmediate(() => this.#restart()));
  }

  get state(): string {
    return this.#agent?.state ?? "off";
  }
  get version(): string {
    return this.#board.ports.boot.running().version;
  }

  powerOn(reason: "power-on" | "software" = "power-on"): void {
    this.#board.powerOn(reason);
    const { ports } = this.#board;
    const crypto = new NodeCrypto(() => 0.5);
    const { platform, broker, allowHttp = true } = this.#options;
    const flash: Flash = {
      size: ports.flash.size,
      sectorSize: ports.flash.sectorSize,
      erase: (sector) => ports.flash.erase(sector),
      write: (offset, bytes) => {
        this.written.add(Math.floor(offset / SECTOR));
        ports.flash.write(offset, bytes);
      },
      read: (offset, into) => ports.flash.read(offset, into),
      equals: (offset, bytes) => ports.flash.equals(offset, bytes),
    };
    this.#agent = new OtaAgent({
      ports: {
        ...ports,
        flash,
        network: this.#network,
        crypto,
        clock: this.clock,
        log: (line) => void this.log.push(line),
      },
      platform: createPlatform(platform, crypto),
      broker,
      policy: { allowHttp },
      onNotice: (notice) => void this.notices.push(notice),
    });
    this.#agent.start();
  }

  powerOff(): void {
    this.#agent?.stop();
    this.#agent = undefined;
    this.clock.stop();
  }

  #restart(): void {
    if (this.#agent === undefined) return;
    this.#agent.stop();
    this.powerOn("software");
  }

  #watched(network: Network): Network {
    return {
      connect: (options, events): Socket => {
        this.clock.stir();
        this.connects.push({ at: this.clock.now(), port: options.port, tls: options.tls !== undefined });
        const obstacle = this.#options.obstacle?.(options);
        if (obstacle !== undefined) {
          if (obstacle !== "silence") setImmediate(() => events.closed(obstacle));
          return { read: () => 0, write: () => 0, close: () => undefined };
        }
        return network.connect(options, {
          opened: () => (this.clock.stir(), events.opened()),
          readable: () => (this.clock.stir(), events.readable()),
          writable: () => (this.clock.stir(), events.writable()),
          closed: (error) => (this.clock.stir(), events.closed(error)),
        });
      },
    };
  }
}
