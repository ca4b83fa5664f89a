/** The board that the scenarios run on, and what stands between it and the server. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import { Device } from "../../host-sim/demo/device-process";
import type { Line } from "../../host-sim/demo/device-process";
import { WeakLink } from "../../host-sim/faults/weak-link";
import type { Package, PackageId, ThingsBoardOperator } from "../../host-sim/operators/thingsboard/operator";
import { Front } from "./front";
import type { Refusal } from "./front";

/** Bytes. */
export const SIZE = 400_000;
/** Bytes per second of a line on which the download has a middle: progress is told once a second. */
const RATE = 100_000;

let serial = 0;
const unique = (what: string): string => `xs-ota-${what}-${Date.now().toString(36)}-${++serial}`;

/** A board in front of a server. It keeps its flash and, but for power cuts, its process from scenario to scenario. */
export class Bench {
  readonly operator: ThingsBoardOperator;
  readonly id: string;
  readonly title: string;
  device: Device;
  readonly #line: WeakLink;
  readonly #profile: string;
  readonly #front: Front;
  readonly #token: string;
  readonly #paths: readonly [config: string, state: string];
  /** Events before this one belong to an earlier scenario. */
  #from = 0;
  /** `fw_state` values before this one, likewise. */
  #told = 0;

  private constructor(
    operator: ThingsBoardOperator,
    made: { readonly id: string; readonly title: string; readonly profile: string; readonly accessToken: string },
    paths: readonly [string, string],
    line: WeakLink,
    front: Front,
  ) {
    this.operator = operator;
    this.id = made.id;
    this.title = made.title;
    this.#profile = made.profile;
    this.#token = made.accessToken;
    this.#front = front;
    this.#paths = paths;
    this.#line = line;
    this.device = Device.start(...paths);
  }

  /** `http`: the bytes come over HTTP, else in chunks over MQTT. */
  static async make(operator: ThingsBoardOperator, folder: string, http: boolean): Promise<Bench> {
    const profile = await operator.createProfile(unique("profile"));
    const { id, accessToken } = await operator.createDevice(unique("device"), profile);
    const title = unique("app");
    const paths = [join(folder, "device.json"), join(folder, "board")] as const;
    const front = await Front.open(operator.server);
    const line = await WeakLink.open({ targets: [operator.mqtt, { host: "127.0.0.1", port: front.port }] });
    const [mqttPort, httpPort] = line.ports;
    const config = {
      platform: "thingsboard",
      mqtt: { host: "127.0.0.1", port: mqttPort, tls: false },
      accessToken,
      title,
      ...(http ? { server: `http://127.0.0.1:${httpPort}` } : {}),
    };
    writeFileSync(paths[0], JSON.stringify(config), { mode: 0o600 });
    return new Bench(operator, { id, title, profile, accessToken }, paths, line, front);
  }

  /** What came before is no answer to what comes now. */
  async begin(): Promise<void> {
    this.#from = this.device.events.length;
    this.#told = (await this.#all("fw_state")).length;
  }

  async upload(version: string, fault?: Fault, more: Partial<Package> = {}): Promise<PackageId> {
    const bytes = await sampleImage(version, fault, SIZE);
    return this.operator.upload(this.#profile, { title: this.title, version, bytes, ...more });
  }

  async offer(version: string, fault?: Fault, more?: Partial<Package>): Promise<void> {
    await this.operator.assign(this.id, await this.upload(version, fault, more));
  }

  async withdraw(): Promise<void> {
    await this.operator.assign(this.id, undefined);
  }

  /** Assigns a package that is only the address of a file on a server of this bench. */
  async offerLink(version: string): Promise<void> {
    const url = this.#front.serve(await sampleImage(version, undefined, SIZE));
    const size = SIZE;
    const { algorithm, checksum } = { algorithm: "SHA256", checksum: this.#front.digest } as const;
    const link = { title: this.title, version, url, size, algorithm, checksum };
    await this.operator.assign(this.id, await this.operator.link(this.#profile, link));
  }

  /** What the HTTP API answers in place of the server, from the middle of the file on. */
  refuse(...answers: readonly Refusal[]): void {
    this.#front.refusals.push(...answers);
  }

  /** All of them were answered. */
  get refused(): boolean {
    return this.#front.refusals.length === 0;
  }

  /** The device's credential is another one, until the returned function is called. */
  async takeToken(): Promise<() => Promise<void>> {
    await this.operator.useBasicCredentials(this.id, { userName: unique("user"), password: "another" });
    return () => this.operator.useAccessToken(this.id, this.#token);
  }

  loseLine(): void {
    this.#line.cut();
  }

  async close(): Promise<void> {
    await this.device.kill();
    await this.#line.close();
    await this.#front.close();
  }

  async cutPower(): Promise<void> {
    await this.device.kill();
  }

  powerOn(): void {
    this.device = Device.start(...this.#paths);
    this.#from = 0;
  }

  /** The first event of this scenario that fits, past or to come. */
  until(what: string, fits: (event: Line) => boolean): Promise<Line> {
    const from = this.#from;
    const { device } = this;
    return device.until(what, (event) => fits(event) && device.events.indexOf(event) >= from);
  }

  /** Offers it over a slow line, does `then` in the middle of the download, and resolves. */
  async halfway(version: string, then: () => Promise<unknown> = async () => undefined): Promise<void> {
    this.#line.quality = { rate: RATE };
    await this.offer(version);
    await this.until("20 %", ({ percent }) => Number(percent) >= 20);
    await then();
    this.#line.quality = {};
  }

  /** The states that the server has of this scenario, without repetitions, once the last one is `last`. */
  async states(last: string): Promise<readonly string[]> {
    for (;;) {
      const states = (await this.#all("fw_state")).slice(this.#told);
      if (states.at(-1) === last) return states.filter((state, at) => state !== states[at - 1]);
    }
  }

  async latest(key: string): Promise<string | undefined> {
    return (await this.#all(key)).at(-1);
  }

  async #all(key: string): Promise<readonly string[]> {
    return (await this.operator.telemetry(this.id, [key]))[key] ?? [];
  }
}
