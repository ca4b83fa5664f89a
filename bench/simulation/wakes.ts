/** One update of a battery device in virtual time: it wakes, goes on, and sleeps, from the push to the proven image. */
import { createHash } from "node:crypto";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { firmwareImage } from "../../tests/kit/images";
import { VirtualClock } from "../../tests/kit/virtual-clock";
import { VirtualDevice } from "../../tests/kit/virtual-device";
import { VirtualNetwork } from "../../tests/kit/virtual-network";
import type { Line } from "../../tests/kit/virtual-network";
import { broker } from "./broker";
import type { Cloud } from "./broker";
import { TimedBoard } from "./device";
import { fileServer } from "./file-server";
import type { FileTraffic } from "./file-server";
import { CONFIG, GIVE_UP, HTTP_PORT, MQTT_PORT, WINDOW } from "./update";

export interface WakesOptions {
  readonly size: number;
  readonly line: Line;
  /** Seconds awake at most, and asleep. */
  readonly awake: number;
  readonly asleep: number;
  /** From the first instruction of the firmware to an address, ms. */
  readonly networkUp: number;
}

export interface OneWake {
  /** From the reset to the sleep call or the restart, ms. */
  readonly awake: number;
  /** From the reset to the first byte of the file; and from there to its last byte in this wake, ms. */
  readonly first: number;
  readonly receiving: number;
  /** Bytes from the file server, heads of answers included. */
  readonly received: number;
  readonly mqttUp: number;
  readonly mqttDown: number;
  readonly fileUp: number;
}

export interface WakesResult {
  readonly finished: boolean;
  /** Those with an update in hand. */
  readonly wakes: readonly OneWake[];
  /** Bytes of the file that the server sent more than once. */
  readonly again: number;
  /** Erases of the slot beyond one for each sector. */
  readonly erasesAgain: number;
}

export function runWakes(options: WakesOptions): WakesResult {
  return new WakesRun(options).run();
}

class WakesRun {
  readonly #options: WakesOptions;
  readonly #clock = new VirtualClock();
  readonly #served: FileTraffic = { requests: 0, promised: 0 };
  readonly #cloud: Cloud = { task: undefined, reports: [], packets: 0 };
  readonly #board = new TimedBoard(this.#clock);
  readonly #file: Uint8Array;
  readonly #network: VirtualNetwork;
  readonly #device: VirtualDevice;
  readonly #wakes: OneWake[] = [];
  #startedAt = 0;
  #first = 0;
  #last = 0;
  #read = 0;
  #before = { http: 0, fileUp: 0, mqttUp: 0, mqttDown: 0 };

  constructor(options: WakesOptions) {
    const { size, line, awake, asleep, networkUp } = options;
    this.#options = options;
    this.#file = firmwareImage("0.2.0", size);
    const files = fileServer(() => this.#file, this.#served);
    const mqtt = broker(this.#cloud);
    this.#network = new VirtualNetwork({
      clock: this.#clock,
      line: { window: WINDOW, ...line },
      peers: ({ port }) => (port === HTTP_PORT ? files : mqtt),
    });
    this.#device = new VirtualDevice({
      board: this.#board.board,
      clock: this.#clock,
      network: this.#network,
      platform: (crypto) => new TencentPlatform(CONFIG, crypto),
      broker: { host: "broker.example", port: MQTT_PORT, tls: false },
      policy: { allowHttp: true },
      wake: { seconds: awake },
      sleepSeconds: asleep,
      networkUpAfter: networkUp,
    });
  }

  run(): WakesResult {
    const { asleep, size } = this.#options;
    const { board } = this.#board;
    const http = this.#network.traffic(HTTP_PORT);
    const md5sum = createHash("md5").update(this.#file).digest("hex");
    const url = `http://files.example/fw.bin?sign=${"0".repeat(300)}`;
    this.#cloud.task = { version: "0.2.0", file_size: size, md5sum, url };
    this.#start("power-on");
    while (board.restartWanted !== "restart" && this.#clock.time < GIVE_UP && this.#clock.step(GIVE_UP)) {
      if (http.read > this.#before.http && this.#last === 0) this.#first = this.#clock.time;
      if (http.read > this.#before.http + this.#read) {
        this.#read = http.read - this.#before.http;
        this.#last = this.#clock.time;
      }
      if (board.restartWanted !== "sleep") continue;
      this.#end();
      this.#device.powerOff();
      this.#network.cut();
      this.#clock.advance(asleep * 1000);
      this.#start("deep-sleep");
    }
    this.#end();
    this.#device.powerOff();
    const slot = board.table.slots[1];
    const { erases } = board.chip.counts(slot.address, slot.size);
    return {
      finished: board.restartWanted === "restart",
      wakes: this.#wakes,
      again: this.#served.promised - size,
      erasesAgain: erases - Math.ceil(size / 4096),
    };
  }

  #start(reason: "power-on" | "deep-sleep"): void {
    this.#startedAt = this.#clock.time;
    this.#first = this.#last = this.#read = 0;
    this.#before = this.#counts();
    this.#device.powerOn(reason);
  }

  #end(): void {
    const counts = this.#counts();
    const { time } = this.#clock;
    this.#wakes.push({
      awake: time - this.#startedAt,
      first: this.#first - this.#startedAt,
      receiving: this.#last - this.#first,
      received: counts.http - this.#before.http,
      fileUp: counts.fileUp - this.#before.fileUp,
      mqttUp: counts.mqttUp - this.#before.mqttUp,
      mqttDown: counts.mqttDown - this.#before.mqttDown,
    });
  }

  #counts(): { http: number; fileUp: number; mqttUp: number; mqttDown: number } {
    const http = this.#network.traffic(HTTP_PORT);
    const mqtt = this.#network.traffic(MQTT_PORT);
    return { http: http.read, fileUp: http.up, mqttUp: mqtt.up, mqttDown: mqtt.sent };
  }
}
