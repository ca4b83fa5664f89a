/** One device and a ThingsBoard server in virtual time, on a network in memory. */
import assert from "node:assert/strict";
import { ThingsBoardPlatform } from "../../src/platforms/thingsboard/dialect";
import type { Policy } from "../../src/job/policy";
import { generator } from "../../host-sim/faults/weak-link";
import type { Package, ThingsBoardOperator } from "../../host-sim/operators/thingsboard/operator";
import { answer } from "../doubles/http/message";
import { HttpPeer } from "../doubles/http/peer";
import type { Lag } from "../doubles/thingsboard/lag";
import { ThingsBoardDouble } from "../doubles/thingsboard/server";
import { factoryBoard, firmwareImage } from "../kit/images";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import type { VirtualDeviceOptions } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";

export const TITLE = "thermostat";
export const SIZE = 40_000;
export const SECOND = 1_000;
export const MINUTE = 60_000;
/** Seen between an assignment and its push, ms. */
const LAG_MAX = 500;
const EPOCH = Date.UTC(2026, 10, 30);

export interface SceneOptions {
  /** Bytes over HTTP; default: chunks over MQTT. */
  readonly http?: boolean;
  readonly basic?: boolean;
  readonly latency?: number;
  readonly seed?: number;
  readonly limits?: string;
  /** The server takes its time, now and then half a second. */
  readonly lag?: boolean;
  readonly policy?: Partial<Policy>;
  readonly device?: Partial<VirtualDeviceOptions>;
}

export class Scene {
  readonly clock = new VirtualClock();
  readonly double: ThingsBoardDouble;
  readonly device: VirtualDevice;
  readonly network: VirtualNetwork;
  readonly id: string;
  readonly profile: string;
  readonly #uploaded = new Map<string, string>();
  /** A web server at port 80 with one file. */
  #files: HttpPeer | undefined;
  /** How long the device sleeps, s. */
  readonly #asleep: number;
  /** Nobody answers. */
  away = false;

  private constructor(
    options: SceneOptions,
    double: (clock: VirtualClock) => ThingsBoardDouble,
    made: { readonly id: string; readonly profile: string; readonly token: string },
  ) {
    const { http = false, basic = false, latency = 20, seed = 1 } = options;
    this.double = double(this.clock);
    this.#asleep = options.device?.sleepSeconds ?? 0;
    this.id = made.id;
    this.profile = made.profile;
    const random = generator(seed);
    const { mqttPeer, httpPeer } = this.double;
    this.network = new VirtualNetwork({
      clock: this.clock,
      line: { latency },
      peers: ({ port }) =>
        this.away
          ? undefined
          : port === 1883
            ? mqttPeer
            : port === 8080
              ? httpPeer
              : port === 80
                ? this.#files
                : undefined,
      random,
    });
    const credentials = basic ? { username: "user", password: "word" } : { accessToken: made.token };
    this.device = new VirtualDevice({
      board: factoryBoard(SIZE),
      clock: this.clock,
      network: this.network,
      random,
      broker: { host: "tb", port: 1883, tls: false },
      platform: () =>
        new ThingsBoardPlatform({ title: TITLE, ...credentials, ...(http ? { server: "http://tb:8080" } : {}) }),
      policy: { allowHttp: true, ...options.policy },
      ...options.device,
    });
  }

  static async make(options: SceneOptions = {}): Promise<Scene> {
    let clock: VirtualClock | undefined;
    const late = generator((options.seed ?? 1) + 1_000_000);
    const lag: Lag = {
      milliseconds: () => (late() < 0.25 ? late() * LAG_MAX : late() * 10),
      after: (milliseconds, run) => void clock?.after(milliseconds, run),
    };
    const double = new ThingsBoardDouble({
      now: () => EPOCH + (clock?.now() ?? 0),
      defer: (run) => void (clock === undefined ? run() : clock.after(0, run)),
      limits: options.limits,
      ...(options.lag === true ? { lag } : {}),
    });
    const { operator } = double;
    const profile = await operator.createProfile("p");
    const { id, accessToken: token } = await operator.createDevice("d", profile);
    if (options.basic === true) await operator.useBasicCredentials(id, { userName: "user", password: "word" });
    const scene = new Scene(
      options,
      (its) => {
        clock = its;
        return double;
      },
      { id, profile, token },
    );
    return scene;
  }

  get operator(): ThingsBoardOperator {
    return this.double.operator;
  }

  async upload(version: string, more: Partial<Package> = {}): Promise<string> {
    const known = this.#uploaded.get(version);
    if (known !== undefined) return known;
    const bytes = firmwareImage(version, SIZE);
    const firmware = await this.operator.upload(this.profile, { title: TITLE, version, bytes, ...more });
    this.#uploaded.set(version, firmware);
    return firmware;
  }

  /** Uploads and assigns. */
  async offer(version: string, more: Partial<Package> = {}): Promise<void> {
    await this.operator.assign(this.id, await this.upload(version, more));
  }

  /** Chunks that were asked for. */
  get chunks(): number {
    return this.count("v2/fw/request/");
  }

  /** Has a web server of its own serve these bytes, in ranges. Returns their URL. */
  serve(bytes: Uint8Array): string {
    this.#files = new HttpPeer({
      now: () => this.clock.now(),
      answer: ({ headers }) => {
        const [, from = "0", to = ""] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "") ?? [];
        const body = bytes.subarray(Number(from), Number(to) + 1);
        const contentRange = `bytes ${from}-${to}/${bytes.length}`;
        return answer(206, { headers: { "Content-Range": contentRange }, body });
      },
    });
    return "http://files/fw.bin";
  }

  async withdraw(): Promise<void> {
    await this.operator.assign(this.id, undefined);
  }

  /** Lets time pass, restarts included. */
  pass(milliseconds: number): void {
    this.until(() => false, milliseconds);
  }

  /** True as soon as it is so; false: not within that time. */
  until(done: () => boolean, within: number): boolean {
    const end = this.clock.time + within;
    for (;;) {
      const { restartWanted } = this.device.board;
      if (restartWanted === "sleep") {
        this.cutPower();
        this.clock.advance(this.#asleep * SECOND);
        this.device.powerOn("deep-sleep");
      } else if (restartWanted !== undefined) {
        this.network.cut();
        this.device.restartIfWanted();
      }
      if (done()) return true;
      if (!this.clock.step(end)) break;
    }
    this.clock.advance(end - this.clock.time);
    return done();
  }

  must(done: () => boolean, within = 10 * MINUTE): void {
    assert.ok(this.until(done, within), `not so: ${done.toString()}; ${this.device.state}`);
  }

  cutPower(): void {
    this.device.powerOff();
    this.network.cut();
  }

  /** The values of a key, the oldest first. */
  async told(key = "fw_state"): Promise<readonly string[]> {
    return (await this.operator.telemetry(this.id, [key]))[key] ?? [];
  }

  /** `fw_state` without repetitions. */
  async states(): Promise<readonly string[]> {
    return (await this.told()).filter((state, at, all) => state !== all[at - 1]);
  }

  /** How often the device sent something on topics that begin so, or asked such a path of HTTP. */
  count(topic: string): number {
    return this.double.transport.received.filter(({ what }) => what.startsWith(topic)).length;
  }
}
