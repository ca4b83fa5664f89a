/** A device in a test: the requests of the device API, asked of the double without a network. */
import assert from "node:assert/strict";
import type { HttpAnswer } from "../http/message";
import { HawkbitDouble } from "./server";
import type { HawkbitOptions } from "./server";

export const HOST = "hb.example:8080";
export const START = Date.UTC(2026, 10, 28, 14, 18, 41);

export class DdiDevice {
  readonly double: HawkbitDouble;
  readonly controllerId: string;
  authorization: string;

  constructor(double: HawkbitDouble, controllerId: string, authorization: string) {
    this.double = double;
    this.controllerId = controllerId;
    this.authorization = authorization;
  }

  get base(): string {
    return `/DEFAULT/controller/v1/${this.controllerId}`;
  }

  /** `path`: behind the base, or absolute. */
  request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): HttpAnswer {
    return this.double.answer({
      method,
      target: path.startsWith("/") && path.includes("controller") ? path : this.base + path,
      headers: {
        host: HOST,
        authorization: this.authorization,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? new Uint8Array() : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
      address: "127.0.0.1",
      scheme: "http",
    });
  }

  get(path: string, headers?: Record<string, string>): HttpAnswer {
    return this.request("GET", path, undefined, headers);
  }

  /** Links of a poll by name, without host; {} where there is none. */
  poll(): Record<string, string> {
    const { _links = {} } = jsonOf(this.get("")) as { _links?: Record<string, { href: string }> };
    return Object.fromEntries(
      Object.entries(_links).map(([name, { href }]) => [name, href.replace(`http://${HOST}${this.base}`, "")]),
    );
  }

  /** Status of the answer to a report. */
  report(actionId: string, execution: string, finished = "none", more: object = {}, of = "deploymentBase"): number {
    const status = { execution, result: { finished }, ...more };
    return this.request("POST", `/${of}/${actionId}/feedback`, { status }).status;
  }

  cancelReport(actionId: string, execution: string, finished = "none"): number {
    return this.report(actionId, execution, finished, {}, "cancelAction");
  }
}

export const jsonOf = ({ body }: HttpAnswer): unknown => JSON.parse(Buffer.from(body).toString("utf8"));

export interface Bench {
  readonly double: HawkbitDouble;
  readonly device: DdiDevice;
  /** Of a further device. */
  another(controllerId: string): Promise<DdiDevice>;
  /** Uploads a version, if that was not done, and assigns it. */
  assign(version: string, how?: Parameters<HawkbitDouble["operator"]["assign"]>[2], to?: DdiDevice): Promise<string>;
  upload(version: string): Promise<string>;
  /** Lets time pass, seconds. */
  pass(seconds: number): void;
}

export const IMAGE = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

/** A server whose clock the test moves, and one device. */
export async function newBench(options: HawkbitOptions = {}): Promise<Bench> {
  let now = START;
  const double = new HawkbitDouble({ now: () => now, ...options });
  const { operator } = double;
  await operator.prepare();
  const another = async (controllerId: string): Promise<DdiDevice> => {
    const { targetToken } = await operator.createDevice(controllerId);
    return new DdiDevice(double, controllerId, `TargetToken ${targetToken}`);
  };
  const device = await another("dev-1");
  const sets = new Map<string, string>();
  const upload = async (version: string): Promise<string> => {
    const known = sets.get(version);
    if (known !== undefined) return known;
    const fileName = `app-${version}.bin`;
    const id = await operator.upload({ name: "xs-app", version, part: "firmware", fileName, bytes: IMAGE });
    sets.set(version, id);
    return id;
  };
  return {
    double,
    device,
    another,
    upload,
    async assign(version, how, to = device) {
      const id = await operator.assign(to.controllerId, await upload(version), how);
      assert.ok(id !== undefined, `${version} is assigned already`);
      return id;
    },
    pass: (seconds) => void (now += seconds * 1_000),
  };
}

/** An update that went well, a second later. */
export async function install({ device, assign, pass }: Bench, version: string): Promise<string> {
  const id = await assign(version);
  pass(1);
  device.get(device.poll()["deploymentBase"]!);
  assert.equal(device.report(id, "closed", "success"), 200);
  return id;
}
