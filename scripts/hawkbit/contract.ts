/**
 * What the double of hawkBit in tests/doubles claims of a real server, as checks that run against either: they tell
 * whether the double is still right for the server of today. Each makes devices and packages of its own.
 */
import assert from "node:assert/strict";
import type { Assignment, HawkbitOperator } from "../../host-sim/operators/hawkbit/operator";

export interface Bench {
  readonly operator: HawkbitOperator;
  /** Lets so much time pass, ms. */
  wait(milliseconds: number): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

const IMAGE = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31) & 0xff);
/** How often a server that works by itself is asked, and how far apart, ms. */
const LOOKS = 30;
const LOOK = 2_000;

let serial = 0;
const unique = (what: string): string => `xs-ota-${what}-${Date.now().toString(36)}-${++serial}`;

/** One device on the server, as plain requests. */
class Device {
  readonly id: string;
  readonly #base: string;
  readonly #authorization: string;

  private constructor(id: string, base: string, token: string) {
    this.id = id;
    this.#base = base;
    this.#authorization = `TargetToken ${token}`;
  }

  static async create({ operator }: Bench, name = unique("device")): Promise<Device> {
    const { targetToken } = await operator.createDevice(name);
    return new Device(name, `${operator.server}/${operator.tenant}/controller/v1/${name}`, targetToken);
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.#base + path, {
      method,
      headers: {
        Authorization: this.#authorization,
        Accept: "application/json, */*",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
  }

  /** Links of a poll, without what stands before them. */
  async poll(): Promise<Record<string, string>> {
    const { body } = await this.ask("GET", "");
    const { _links = {} } = JSON.parse(Buffer.from(body).toString()) as { _links?: Record<string, { href: string }> };
    return Object.fromEntries(
      Object.entries(_links).map(([name, { href }]) => [name, href.slice(href.indexOf(this.id) + this.id.length)]),
    );
  }

  async report(
    action: string,
    execution: string,
    finished = "none",
    more: object = {},
    of = "deploymentBase",
  ): Promise<number> {
    const { timestamp, ...rest } = more as { timestamp?: number };
    const body = {
      status: { execution, result: { finished }, ...rest },
      ...(timestamp === undefined ? {} : { timestamp }),
    };
    return (await this.ask("POST", `/${of}/${action}/feedback`, body)).status;
  }
}

const upload = (bench: Bench, version = "1.0.0"): Promise<string> =>
  bench.operator.upload({ name: unique("app"), version, part: "xs_ota_firmware", fileName: "fw.bin", bytes: IMAGE });

async function offered(bench: Bench, how?: Assignment): Promise<{ device: Device; set: string; action: string }> {
  const device = await Device.create(bench);
  const set = await upload(bench);
  const action = await bench.operator.assign(device.id, set, how);
  assert.ok(action !== undefined, "no action");
  return { device, set, action };
}

export const CONTRACT: readonly { readonly title: string; run(bench: Bench): Promise<void> }[] = [
  {
    title: "closed with result none is success; a later report is 410",
    async run(bench) {
      const { device, action } = await offered(bench);
      assert.equal(await device.report(action, "closed", "none"), 200);
      assert.equal((await bench.operator.action(device.id, action)).status, "finished");
      assert.equal(await device.report(action, "closed", "success"), 410);
    },
  },
  {
    title: "no report but closed ends an action",
    async run(bench) {
      const { device, action } = await offered(bench);
      for (const execution of ["proceeding", "scheduled", "resumed", "download", "downloaded", "rejected", "canceled"])
        assert.equal(await device.report(action, execution, "success"), 200, execution);
      assert.ok((await bench.operator.action(device.id, action)).active);
      assert.ok((await device.poll())["deploymentBase"]?.startsWith(`/deploymentBase/${action}`));
      assert.equal(await device.report(action, "closed", "failure", { code: 11 }), 200);
      const { status, lastStatusCode } = await bench.operator.action(device.id, action);
      assert.deepEqual([status, lastStatusCode], ["error", 11]);
    },
  },
  {
    title: "a GET of a closed action flips it back to retrieved",
    async run(bench) {
      const { device, action } = await offered(bench);
      await device.report(action, "closed", "success");
      assert.ok((await device.poll())["installedBase"] !== undefined);
      assert.equal((await device.ask("GET", `/deploymentBase/${action}`)).status, 200);
      assert.equal((await device.poll())["installedBase"], undefined);
    },
  },
  {
    title: "a timestamp of 1970 leaves the target pending",
    async run(bench) {
      const { device, action } = await offered(bench);
      await device.report(action, "closed", "success");
      await bench.wait(LOOK);
      const next = await bench.operator.assign(device.id, await upload(bench, "2.0.0"));
      assert.equal(await device.report(next!, "closed", "success", { timestamp: 5_000 }), 200);
      assert.equal((await bench.operator.device(device.id)).updateStatus, "pending");
    },
  },
  {
    title: "while a cancel waits, downloads are 404 in chunked form; rejected brings the action back, closed ends it",
    async run(bench) {
      const { device, action } = await offered(bench);
      const { body } = await device.ask("GET", `/deploymentBase/${action}`);
      const [, file] = /\/controller\/v1\/[^/"]+(\/softwaremodules\/[^"]+fw\.bin)"/.exec(Buffer.from(body).toString())!;
      const range = { Range: "bytes=0-3" };
      assert.equal((await device.ask("GET", file!, undefined, range)).status, 206);
      await bench.operator.cancel(device.id, action);
      const refused = await device.ask("GET", file!, undefined, range);
      assert.deepEqual([refused.status, refused.headers.get("transfer-encoding")], [404, "chunked"]);
      assert.equal((await device.poll())["cancelAction"], `/cancelAction/${action}`);
      assert.equal(await device.report(action, "rejected", "none", {}, "cancelAction"), 200);
      assert.ok((await device.poll())["deploymentBase"] !== undefined);
      assert.equal(await device.report(action, "closed", "success", {}, "cancelAction"), 405);
      await bench.operator.cancel(device.id, action);
      assert.equal(await device.report(action, "closed", "success", {}, "cancelAction"), 200);
      assert.equal((await bench.operator.action(device.id, action)).status, "canceled");
    },
  },
  {
    title: "a new set cancels the old action first",
    async run(bench) {
      const { device, action } = await offered(bench);
      const next = await bench.operator.assign(device.id, await upload(bench, "2.0.0"));
      assert.equal((await device.poll())["cancelAction"], `/cancelAction/${action}`);
      assert.equal(await device.report(action, "closed", "success", {}, "cancelAction"), 200);
      assert.ok((await device.poll())["deploymentBase"]?.startsWith(`/deploymentBase/${next}`));
    },
  },
  {
    title: "51 details are refused with 429, an unknown word with 400, an unknown action with 404",
    async run(bench) {
      const { device, action } = await offered(bench);
      assert.equal(await device.report(action, "proceeding", "none", { details: Array(51).fill("x") }), 429);
      assert.equal(await device.report(action, "flashing"), 400);
      assert.equal(await device.report("999999999", "closed", "success"), 404);
    },
  },
  {
    title: "downloaded ends a download-only action",
    async run(bench) {
      const { device, action } = await offered(bench, { type: "downloadonly" });
      assert.equal(await device.report(action, "downloaded"), 200);
      assert.equal(await device.report(action, "closed", "success"), 410);
    },
  },
  {
    title: "configData is asked for at first and after success, not after a failure",
    async run(bench) {
      const { device, set, action } = await offered(bench);
      const asked = async (): Promise<boolean> => (await device.poll())["configData"] !== undefined;
      const put = async (): Promise<number> => (await device.ask("PUT", "/configData", { data: { a: "1" } })).status;
      assert.deepEqual([await asked(), await put(), await asked()], [true, 200, false]);
      await device.report(action, "closed", "failure");
      assert.equal(await asked(), false);
      const again = await bench.operator.assign(device.id, set);
      assert.ok(again !== undefined && again !== action, "after a failure the set has a new action");
      await device.report(again, "closed", "success");
      assert.equal(await asked(), true);
      assert.equal(await bench.operator.assign(device.id, set), undefined, "and after success none");
    },
  },
  {
    title: "an invalidated set is a cancel",
    async run(bench) {
      const { device, set, action } = await offered(bench);
      await bench.operator.withdraw(set);
      assert.equal((await device.poll())["cancelAction"], `/cancelAction/${action}`);
    },
  },
  {
    title: "a rollout pauses when more than its threshold failed",
    async run(bench) {
      const prefix = unique("fleet");
      const fleet: Device[] = [];
      for (const number of [1, 2]) fleet.push(await Device.create(bench, `${prefix}-${number}`));
      const order = {
        name: prefix,
        targets: `controllerid==${prefix}-*`,
        firmware: await upload(bench),
        groups: 2,
        success: 100,
        error: 50,
      };
      const rollout = await bench.operator.rollOut(order);
      const first = await settled(bench, async () => {
        const polls = await Promise.all(fleet.map((each) => each.poll()));
        return fleet.find((_, index) => polls[index]!["deploymentBase"] !== undefined);
      });
      const [, action] = /deploymentBase\/(\d+)/.exec((await first.poll())["deploymentBase"]!)!;
      await bench.wait(LOOK);
      assert.equal(await first.report(action!, "closed", "failure"), 200);
      await settled(bench, async () =>
        (await bench.operator.rollout(rollout)).status === "paused" ? true : undefined,
      );
    },
  },
];

/** What is found at last; rejects after so many looks. */
async function settled<T>(bench: Bench, look: () => Promise<T | undefined>): Promise<T> {
  for (let count = 0; count < LOOKS; count++) {
    const found = await look();
    if (found !== undefined) return found;
    await bench.wait(LOOK);
  }
  throw new Error(`not so after ${(LOOKS * LOOK) / 1_000} s`);
}
