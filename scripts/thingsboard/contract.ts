/**
 * What the double of ThingsBoard in tests/doubles claims of a real server, as checks that run against either: they tell
 * whether the double is still right for the server of today. Each makes a device and packages of its own.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";
import type { Package, ProfileId, ThingsBoardOperator } from "../../host-sim/operators/thingsboard/operator";

interface Message {
  readonly topic: string;
  readonly payload: Buffer;
}

const ATTRIBUTES = "v1/devices/me/attributes";
const image = (salt: number): Uint8Array =>
  Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31 + salt) & 0xff);

let serial = 0;
const unique = (what: string): string => `xs-ota-${what}-${Date.now().toString(36)}-${++serial}`;

/** One connection of a device. */
class Connection {
  readonly client: MqttClient;
  readonly messages: Message[] = [];
  #asked = 0;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on("message", (topic, payload) => void this.messages.push({ topic, payload }));
    client.on("error", () => undefined);
  }

  static async open(
    { operator, token }: Bench,
    options: IClientOptions = {},
  ): Promise<Connection & { present: boolean }> {
    const { host, port } = operator.mqtt;
    const client = connect({ host, port, username: token, reconnectPeriod: 0, protocolVersion: 4, ...options });
    const connection = new Connection(client);
    const [{ sessionPresent }] = (await once(client as never, "connect")) as [{ sessionPresent: boolean }];
    return Object.assign(connection, { present: sessionPresent });
  }

  /** The first message, come or to come, that fits. */
  async message(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      await once(this.client as never, "message");
    }
  }

  async chunk(id: number, chunk: number, size: number | string): Promise<Buffer> {
    const answer = `v2/fw/response/${id}/chunk/${chunk}`;
    this.client.publish(`v2/fw/request/${id}/chunk/${chunk}`, String(size), { qos: 0 });
    return (await this.message(({ topic }) => topic === answer)).payload;
  }

  async attributes(): Promise<Record<string, Record<string, unknown>>> {
    const id = ++this.#asked;
    const keys = "fw_title,fw_version,fw_size,fw_checksum,fw_checksum_algorithm,fw_url,fw_tag";
    this.client.publish(`${ATTRIBUTES}/request/${id}`, JSON.stringify({ sharedKeys: keys }), { qos: 1 });
    const { payload } = await this.message(({ topic }) => topic === `${ATTRIBUTES}/response/${id}`);
    return JSON.parse(payload.toString()) as Record<string, Record<string, unknown>>;
  }

  /** Messages on the topic of attributes so far. */
  get pushed(): Record<string, unknown>[] {
    return this.messages
      .filter(({ topic }) => topic === ATTRIBUTES)
      .map(({ payload }) => JSON.parse(payload.toString()) as Record<string, unknown>);
  }

  async closed(): Promise<void> {
    if (this.client.connected) await once(this.client as never, "close");
  }
}

export interface Bench {
  readonly operator: ThingsBoardOperator;
  readonly profile: ProfileId;
  readonly id: string;
  readonly token: string;
  upload(version: string, more?: Partial<Package>): Promise<string>;
  /** Uploads and assigns. */
  offer(version: string): Promise<void>;
  dial(options?: IClientOptions): Promise<Connection & { readonly present: boolean }>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
}

/** Runs one check with a device of its own, and closes its connections. */
export async function runCheck(operator: ThingsBoardOperator, run: (bench: Bench) => Promise<void>): Promise<void> {
  const profile = await operator.createProfile(unique("profile"));
  const { id, accessToken } = await operator.createDevice(unique("device"), profile);
  const title = unique("app");
  const open: Connection[] = [];
  const upload = (version: string, more: Partial<Package> = {}): Promise<string> =>
    operator.upload(profile, { title, version, bytes: image(Number(version)), ...more });
  const bench: Bench = {
    operator,
    profile,
    id,
    token: accessToken,
    upload,
    offer: async (version) => operator.assign(id, await upload(version)),
    async dial(options) {
      const connection = await Connection.open(bench, options);
      open.push(connection);
      return connection;
    },
    get: (path, headers = {}) =>
      fetch(`${operator.server}/api/v1/${accessToken}/${path.replace("TITLE", title)}`, { headers }),
  };
  try {
    await run(bench);
  } finally {
    for (const { client } of open) client.end(true);
  }
}

/** Asks again until it is so: a real server works through a queue. */
async function until<T>(ask: () => Promise<T>, so: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (so(found)) return found;
  }
}

const part = (salt: number, chunk: number): Buffer =>
  Buffer.from(image(salt).subarray(chunk * 4_096, (chunk + 1) * 4_096));

export const CONTRACT: readonly { readonly title: string; run(bench: Bench): Promise<void> }[] = [
  {
    title: "a request id is bound to a package for one connection, and to another on the next",
    async run({ offer, dial }) {
      await offer("1");
      const first = await dial();
      assert.deepEqual(await first.chunk(7, 0, 4_096), part(1, 0));
      await offer("2");
      assert.deepEqual(await first.chunk(7, 1, 4_096), part(1, 1));
      assert.deepEqual(await first.chunk(8, 1, 4_096), part(2, 1));
      const second = await dial();
      assert.deepEqual(await second.chunk(7, 2, 4_096), part(2, 2));
    },
  },
  {
    title: "a chunk beyond the end is empty, a size of 0 is everything",
    async run({ offer, dial }) {
      await offer("1");
      const device = await dial();
      assert.equal((await device.chunk(1, 3, 4_096)).length, 0);
      assert.equal((await device.chunk(2, 5, "0")).length, 10_000);
    },
  },
  {
    title: "errors name no request, and the connection ends",
    async run({ operator, profile, id, offer, dial }) {
      const reason = async (size: string): Promise<string> => {
        const device = await dial();
        device.client.publish("v2/fw/request/1/chunk/0", size, { qos: 0 });
        const { payload } = await device.message(({ topic }) => topic === "v2/fw/error");
        await device.closed();
        return payload.toString();
      };
      assert.equal(await reason("4096"), "NOT_FOUND");
      await offer("1");
      assert.equal(await reason("65537"), "PAYLOAD_TOO_LARGE");
      const link = { title: unique("link"), version: "9", url: "http://127.0.0.1:9/fw.bin" };
      await operator.assign(id, await operator.link(profile, link));
      assert.equal(await reason("4096"), "FAILURE");
    },
  },
  {
    title: "an offer to a device that is there is pushed, behind a list of keys that it does not have",
    async run({ operator, id, offer, dial }) {
      const device = await dial();
      await device.client.subscribeAsync(ATTRIBUTES, { qos: 1 });
      await offer("1");
      const offered = ({ payload }: Message): boolean =>
        payload.includes('"fw_version"') && !payload.includes("deleted");
      await device.message(offered);
      const [deleted, all] = device.pushed;
      assert.deepEqual([...(deleted!["deleted"] as string[])].sort(), ["fw_tag", "fw_url"]);
      const keys = ["fw_checksum", "fw_checksum_algorithm", "fw_size", "fw_title", "fw_version"];
      assert.deepEqual(Object.keys(all!).sort(), keys);
      await operator.assign(id, undefined);
      await device.message(
        ({ topic, payload }) => topic === ATTRIBUTES && payload.includes('"fw_title"') && payload.includes("deleted"),
      );
      assert.deepEqual(await device.attributes(), {});
    },
  },
  {
    title: "an offer to a device that is away is not pushed later; clean=false keeps nothing",
    async run({ offer, dial }) {
      const first = await dial({ clean: false, clientId: unique("client") });
      assert.equal(first.present, true);
      await first.client.subscribeAsync(ATTRIBUTES, { qos: 1 });
      await first.client.endAsync();
      await offer("1");
      const second = await dial({ clean: false, clientId: String(first.client.options.clientId) });
      assert.equal(second.present, true);
      const { shared } = await until(
        () => second.attributes(),
        ({ shared }) => shared !== undefined,
      );
      assert.equal(shared!["fw_version"], "1");
      assert.deepEqual(second.pushed, []);
    },
  },
  {
    title: "INITIATED is reached while the device is away; any word is taken as a state",
    async run({ operator, id, offer, dial }) {
      await offer("1");
      const states = async (): Promise<readonly string[]> =>
        (await operator.telemetry(id, ["fw_state"]))["fw_state"] ?? [];
      assert.deepEqual(await until(states, ({ length }) => length === 2), ["QUEUED", "INITIATED"]);
      const device = await dial();
      await device.client.publishAsync("v1/devices/me/telemetry", '{"fw_state":"WHATEVER"}', { qos: 1 });
      await until(states, (all) => all.at(-1) === "WHATEVER");
    },
  },
  {
    title: "only exact filters are granted",
    async run({ dial }) {
      const device = await dial();
      const granted = async (filter: string): Promise<number> => {
        const subscribed = device.client.subscribeAsync(filter, { qos: 1 });
        return subscribed.then(
          ([{ qos } = { qos: 128 }]) => qos,
          () => 128,
        );
      };
      assert.equal(await granted("v2/fw/response/+/chunk/+"), 1);
      assert.equal(await granted("v2/fw/response/+"), 128);
    },
  },
  {
    title: "a second connection ends the first, and so do other credentials",
    async run({ operator, id, dial }) {
      const first = await dial();
      const second = await dial();
      await first.closed();
      await operator.useBasicCredentials(id, { userName: unique("user"), password: "pw" });
      await second.closed();
    },
  },
  {
    title: "digests as the double has them: CRC32 and the Murmur hashes with their bytes turned round",
    async run({ operator, id, upload }) {
      const bytes = Buffer.from("hello, world");
      for (const [version, algorithm, digest] of [
        ["1", "CRC32", "3a72abff"],
        ["2", "MURMUR3_32", "7fbb9b14"],
        ["3", "MURMUR3_128", "8ebc5e3a62ac2f344d41429607bcdc4c"],
      ] as const) {
        await operator.assign(id, await upload(version, { bytes, algorithm }));
        const shared = await until(
          () => operator.attributes(id, "SHARED_SCOPE"),
          ({ fw_version }) => fw_version === version,
        );
        assert.equal(shared["fw_checksum"], digest, algorithm);
      }
    },
  },
  {
    title: "over HTTP: ranges, 416 with the whole file, 400 for another version, 404 for none",
    async run({ operator, id, offer, get }) {
      const ask = async (query: string, range?: string): Promise<[number, number]> => {
        const response = await get(`firmware?title=TITLE&${query}`, range === undefined ? {} : { Range: range });
        return [response.status, (await response.arrayBuffer()).byteLength];
      };
      await offer("1");
      assert.deepEqual(await ask("version=1"), [200, 10_000]);
      assert.deepEqual(await ask("version=1", "bytes=6000-"), [206, 4_000]);
      assert.deepEqual(await ask("version=1", "bytes=10000-"), [416, 10_000]);
      assert.deepEqual(await ask("version=1&size=4096&chunk=2"), [200, 1_808]);
      assert.equal((await ask("version=2"))[0], 400);
      await operator.assign(id, undefined);
      assert.equal((await ask("version=1"))[0], 404);
    },
  },
];
