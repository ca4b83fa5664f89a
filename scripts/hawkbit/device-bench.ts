/** A scenario's device as a process, `xs-ota device`, over a slow line to the server: real sockets, real time. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { buildImage } from "../../hal/model-chip/build-image";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import { Device } from "../../host-sim/demo/device-process";
import type { Line } from "../../host-sim/demo/device-process";
import { WeakLink } from "../../host-sim/faults/weak-link";
import type { ActionRecord, HawkbitOperator, PackageId } from "../../host-sim/operators/hawkbit/operator";
import { deedsOf } from "./deeds";
import { Proxy } from "./proxy";
import type { Fault, Request, ScenarioBench } from "./scenarios";

/** Bytes per second: an image takes four seconds, so that there is a middle to cut. */
const RATE = 60_000;
/** Between two looks at the server's records, and how long they may take, ms: three polls of a minute. */
const LOOK = 500;
const SPAN = 240_000;
/** The least that a device takes. */
const POLL_SECONDS = 60;
const PART = "xs_ota_firmware";
/** The least: firmware that never reaches the server is given up after it. */
const TRIAL_SECONDS = 30;

let serial = 0;

/** What the command prints in a state of the job. */
const MARKS: { readonly [state: string]: (line: Line) => boolean } = {
  downloading: ({ state, percent }) => state === "downloading" && Number(percent) >= 20,
  trial: ({ event, trial }) => event === "boot" && trial === true,
  reporting: ({ state }) => state === "done" || state === "fail",
  idle: ({ state }) => state === "idle",
};

export class DeviceBench implements ScenarioBench {
  readonly operator: HawkbitOperator;
  readonly controllerId: string;
  readonly #folder: string;
  readonly #link: WeakLink;
  readonly #proxy: Proxy;
  readonly #token: string;
  readonly #lines: Line[] = [];
  #device: Device | undefined;

  private constructor(
    operator: HawkbitOperator,
    { controllerId, token }: { readonly controllerId: string; readonly token: string },
    folder: string,
    { link, proxy }: { readonly link: WeakLink; readonly proxy: Proxy },
  ) {
    this.operator = operator;
    this.controllerId = controllerId;
    this.#token = token;
    this.#folder = folder;
    this.#link = link;
    this.#proxy = proxy;
  }

  /** `folder`: an empty one. The device is switched on when something is expected of it. */
  static async create(operator: HawkbitOperator, folder: string): Promise<DeviceBench> {
    const controllerId = `xs-ota-scenario-${Date.now().toString(36)}-${++serial}`;
    const { targetToken } = await operator.createDevice(controllerId);
    const server = new URL(operator.server);
    if (server.protocol !== "http:") throw new Error("scenarios need a server on plain http");
    const proxy = await Proxy.open(server);
    const target = { host: "127.0.0.1", port: proxy.port };
    const link = await WeakLink.open({ targets: [target], quality: { rate: RATE } });
    const config = {
      platform: "hawkbit",
      server: `http://127.0.0.1:${link.ports[0]}`,
      tenant: operator.tenant,
      controllerId,
      targetToken,
      part: PART,
      pollSeconds: POLL_SECONDS,
      trialSeconds: TRIAL_SECONDS,
    };
    writeFileSync(join(folder, "device.json"), JSON.stringify(config), { mode: 0o600 });
    return new DeviceBench(operator, { controllerId, token: targetToken }, folder, { link, proxy });
  }

  async upload(version: string, fault?: Fault): Promise<PackageId> {
    const payload = await firmwarePayload(version, fault);
    const name = `${this.controllerId}-${++serial}`;
    return this.operator.upload({
      name,
      version,
      part: PART,
      fileName: "fw.bin",
      bytes: buildImage({ version, payload }),
    });
  }

  async untilState(state: string): Promise<void> {
    await this.#on().until(state, MARKS[state] ?? ((line) => line["state"] === state));
  }

  async untilStatus(action: string, status: string): Promise<ActionRecord> {
    this.#on();
    return this.#settled(`action ${action} ${status}`, async () => {
      const record = await this.operator.action(this.controllerId, action);
      return record.status === status ? record : undefined;
    });
  }

  async untilVersion(version: string): Promise<void> {
    await this.#settled(`${version} is told`, async () => {
      const { attributes } = await this.operator.device(this.controllerId);
      return attributes["fw.version"] === version ? true : undefined;
    });
  }

  async powerCut(): Promise<void> {
    await this.powerOff();
    this.#on();
  }

  async powerOff(): Promise<void> {
    await this.#device?.kill();
    this.#device = undefined;
  }

  wait(milliseconds: number): Promise<void> {
    return wait(milliseconds);
  }

  now(): number {
    return Date.now();
  }

  refuse(kind: Request, status: number, times: number): void {
    this.#proxy.refuse(kind, status, times);
  }

  /** A server that is not restarted through its API goes away for the device. */
  async restartServer(): Promise<void> {
    await this.operator.restart?.();
    await this.#proxy.restart();
  }

  async consent(action: string, answer: "confirmed" | "denied"): Promise<void> {
    const { server, tenant } = this.operator;
    const url = `${server}/${tenant}/controller/v1/${this.controllerId}/confirmationBase/${action}/feedback`;
    const headers = { Authorization: `TargetToken ${this.#token}`, "Content-Type": "application/json" };
    const { status } = await fetch(url, { method: "POST", headers, body: JSON.stringify({ confirmation: answer }) });
    if (status !== 200) throw new Error(`consent: HTTP ${status}`);
  }

  deeds(): string {
    return deedsOf(this.#lines);
  }

  async close(): Promise<void> {
    await this.powerOff();
    await this.#link.close();
    await this.#proxy.close();
    await this.operator.deleteDevice(this.controllerId);
  }

  #on(): Device {
    if (this.#device === undefined) {
      this.#device = Device.start(join(this.#folder, "device.json"), join(this.#folder, "board"));
      this.#device.onEvent = (line) => this.#lines.push(line);
    }
    return this.#device;
  }

  async #settled<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (const end = Date.now() + SPAN; Date.now() < end; await wait(LOOK)) {
      const found = await look();
      if (found !== undefined) return found;
    }
    throw new Error(`not so: ${what}; ${JSON.stringify(this.#device?.events.slice(-4))}`);
  }
}
