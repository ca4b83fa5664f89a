/** A battery device in virtual time, with a broker and a file server over one line. */
import { createHash } from "node:crypto";
import { broker } from "../../bench/simulation/broker";
import type { Cloud } from "../../bench/simulation/broker";
import { fileServer } from "../../bench/simulation/file-server";
import type { FileTraffic } from "../../bench/simulation/file-server";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import type { AgentOptions } from "../../src/index";
import type { Ports } from "../../src/ports";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { FACTORY_VERSION, firmwareImage } from "../kit/images";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import type { Peer } from "../kit/peer";
import type { Line } from "../kit/virtual-network";

const CONFIG = {
  productId: "A1B2C3D4E5",
  deviceName: "asleep",
  authMode: "KEY",
  deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
} as const;
const MQTT_PORT = 1883;
const HTTP_PORT = 80;
const FACTORY_SIZE = 40_000;

export interface SleeperOptions extends Pick<AgentOptions, "wake" | "policy" | "onHealthCheck"> {
  readonly line?: Line;
  /** Bytes of version 0.2.0, which the cloud pushes; 0: it pushes nothing. */
  readonly size?: number;
  readonly asleep?: number;
  readonly networkUpAfter?: number;
  ports?(ports: Ports): Ports;
}

export class Sleeper {
  readonly clock = new VirtualClock();
  readonly served: FileTraffic = { requests: 0, promised: 0 };
  readonly cloud: Cloud = { task: undefined, reports: [], packets: 0 };
  readonly board: MemoryBoard;
  readonly network: VirtualNetwork;
  readonly device: VirtualDevice;
  /** What reaches the broker, as text. */
  readonly published: string[] = [];
  brokerIsUp = true;
  /** When the running firmware started, ms. */
  startedAt = 0;

  constructor(options: SleeperOptions = {}) {
    const { line = { latency: 20 }, size = 0, asleep = 600, networkUpAfter = 0, ports, ...agent } = options;
    const file = firmwareImage("0.2.0", size || FACTORY_SIZE);
    const url = "http://files.example/fw.bin";
    if (size > 0)
      this.cloud.task = {
        version: "0.2.0",
        file_size: file.length,
        md5sum: createHash("md5").update(file).digest("hex"),
        url,
      };
    const files = fileServer(() => file, this.served);
    const mqtt = broker(this.cloud);
    const heard: Peer = {
      ...mqtt,
      received: (bytes, connection) => {
        this.published.push(Buffer.from(bytes).toString("latin1"));
        mqtt.received(bytes, connection);
      },
    };
    this.network = new VirtualNetwork({
      clock: this.clock,
      line,
      peers: ({ port }) => (port === HTTP_PORT ? files : this.brokerIsUp ? heard : undefined),
    });
    this.board = new MemoryBoard({
      factoryImage: firmwareImage(FACTORY_VERSION, FACTORY_SIZE),
      table: partitionTableFor(4 << 20),
      time: () => this.clock.now(),
    });
    this.device = new VirtualDevice({
      ...agent,
      board: this.board,
      clock: this.clock,
      network: this.network,
      platform: (crypto) => new TencentPlatform(CONFIG, crypto),
      broker: { host: "broker.example", port: MQTT_PORT, tls: false },
      policy: { allowHttp: true, ...agent.policy },
      sleepSeconds: asleep,
      networkUpAfter,
      ...(ports === undefined ? {} : { ports }),
    });
  }

  start(reason: "power-on" | "software" | "deep-sleep" = "power-on"): this {
    this.device.powerOff();
    this.network.cut();
    this.startedAt = this.clock.time;
    this.device.powerOn(reason);
    return this;
  }

  /** Runs until the firmware sleeps or restarts. Returns which, and the time awake in ms. */
  runOnce(): { readonly ends: string; readonly awake: number } {
    while (this.board.restartWanted === undefined && this.clock.step(this.startedAt + 3_600_000));
    return { ends: this.board.restartWanted ?? "runs on", awake: this.clock.time - this.startedAt };
  }

  /** Sleeps, or restarts, as the firmware wanted. */
  goOn(asleep = 600): this {
    const { restartWanted } = this.board;
    if (restartWanted === "sleep") this.clock.advance(asleep * 1000);
    return this.start(restartWanted === "sleep" ? "deep-sleep" : "software");
  }
}
