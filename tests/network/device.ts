/** The whole agent on a board in memory, with real sockets and virtual time. */
import type { ConnectOptions, Flash, Network, Ports, Socket, SocketError } from "../../src/ports";
import { NodeNetwork } from "../../host-sim/board/node-network";
import type { NodeNetworkOptions } from "../../host-sim/board/node-network";
import { createPlatform } from "../../host-sim/board/firmware/platforms";
import type { PlatformConfiguration } from "../../host-sim/board/firmware/configuration";
import { SECTOR } from "../../src/constants";
import type { BrokerAddress } from "../../src/index";
import { Recorder } from "../../src/recorder/recorder";
import { factoryBoard } from "../kit/images";
import { SocketClock } from "../kit/socket-clock";
import { VirtualDevice } from "../kit/virtual-device";

/** Bytes of the images: ten sectors, the last one not full. */
export const SIZE = 9 * SECTOR + 777;

export interface NetworkDeviceOptions {
  readonly platform: PlatformConfiguration;
  readonly broker: BrokerAddress;
  readonly trust?: Pick<NodeNetworkOptions, "mqtt" | "https">;
  readonly allowHttp?: boolean;
  readonly signingKeys?: readonly string[];
  /** What the network itself does about a connect: an error, or no answer at all. */
  readonly obstacle?: (options: ConnectOptions) => SocketError | "silence" | undefined;
}

export interface Connect {
  readonly at: number;
  readonly port: number;
  readonly tls: boolean;
}

export class NetworkDevice {
  readonly clock = new SocketClock();
  readonly connects: Connect[] = [];
  /** Of each start of the firmware. */
  readonly recorders: Recorder[] = [];
  /** Sectors of the inactive slot that were written. */
  readonly written = new Set<number>();
  readonly #options: NetworkDeviceOptions;
  readonly #device: VirtualDevice;

  constructor(options: NetworkDeviceOptions) {
    this.#options = options;
    const { platform, broker, allowHttp = true, signingKeys = [], trust } = options;
    this.#device = new VirtualDevice({
      board: factoryBoard(SIZE, () => setImmediate(() => this.#device.restartIfWanted())),
      clock: this.clock,
      network: this.#observed(new NodeNetwork({ ...trust, onTraffic: () => this.clock.stir() })),
      platform: (crypto) => createPlatform(platform, crypto),
      broker,
      policy: { allowHttp, signingKeys },
      makeRecorder: () => {
        const recorder = new Recorder(0.5);
        this.recorders.push(recorder);
        return recorder;
      },
      ports: (ports) => ({ ...ports, flash: this.#noting(ports) }),
    });
  }

  get state(): string {
    return this.#device.state;
  }
  get version(): string {
    return this.#device.version;
  }
  get notices(): VirtualDevice["notices"] {
    return this.#device.notices;
  }
  get log(): VirtualDevice["log"] {
    return this.#device.log;
  }

  powerOn(): void {
    this.#device.powerOn();
  }

  powerOff(): void {
    this.#device.powerOff();
    this.clock.stop();
  }

  #noting({ flash }: Ports): Flash {
    return {
      size: flash.size,
      sectorSize: flash.sectorSize,
      blockSectors: flash.blockSectors,
      erase: (sector) => flash.erase(sector),
      eraseBlock: (sector) => flash.eraseBlock(sector),
      write: (offset, bytes) => {
        this.written.add(Math.floor(offset / SECTOR));
        flash.write(offset, bytes);
      },
      read: (offset, into) => flash.read(offset, into),
      equals: (offset, bytes) => flash.equals(offset, bytes),
    };
  }

  #observed(network: Network): Network {
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
