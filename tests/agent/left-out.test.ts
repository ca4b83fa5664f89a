/** An app that includes every manifest_without_*.json takes updates, and says clearly what it lacks. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { CONFIG } from "../../bench/simulation/update";
import type * as Broker from "../../bench/simulation/broker";
import type * as Update from "../../bench/simulation/update";
import type { AgentOptions, Notice } from "../../src/index";
import type * as Agent from "../../src/index";
import { RECORDS } from "../../src/job/records";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { modulesOf, ROOT, withoutManifests } from "../esp32/manifest-tree";
import type * as Containers from "../job/container-fixture";
import { SIZE, container, device as deviceWithAll, next, offer, unbootable } from "../job/container-fixture";
import { offerOf } from "../job/job-fixture";
import { perConnection } from "../kit/peer";
import { VirtualClock } from "../kit/virtual-clock";
import type * as Devices from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import { makeKey } from "../signature/test-keys";
import { withoutFeatures } from "./left-out";

type Bundle = typeof Agent & typeof Broker & typeof Containers & typeof Devices & Pick<typeof Update, "runUpdate">;

const { OtaAgent, PartitionInstaller, VirtualDevice, broker, device, runUpdate } = await withoutFeatures<Bundle>(
  { after },
  `export { runUpdate } from "./bench/simulation/update";
  export { broker } from "./bench/simulation/broker";
  export { device } from "./tests/job/container-fixture";
  export { VirtualDevice } from "./tests/kit/virtual-device";
  export { OtaAgent, PartitionInstaller } from "./src/index";`,
);

test("an app without all that can be left out takes an update, over a power cut", () => {
  const { finished, reports } = runUpdate({ size: 60_000, line: { latency: 20 }, seed: 1, cuts: [0.5] });
  assert.ok(finished, reports.join());
});

test("what is left out is not in the app", () => {
  const without = withoutManifests();
  const gone =
    /recorder\/|signature\/(?!trust)|external-mqtt|partition-installer|job\/(choose|choosing|expand)|x509\/certificate/;
  const found = (...manifests: string[]): number =>
    [...modulesOf(manifests, "esp32").keys()].filter((name) => gone.test(name)).length;
  const firmware = join(ROOT, "manifest.json");
  assert.ok(found(firmware) > 0);
  assert.equal(found(firmware, ...without), 0);
});

test("without containers: an offered one is refused before anything is erased, and the next image is taken", () => {
  const on = device();
  on.push(offer);
  on.deliver(container.bytes);
  assert.deepEqual(on.outcomes, [
    "rejected: the file is a container of deltas, and this firmware was built without them",
  ]);
  const { address, size } = on.board.table.slots[1];
  assert.equal(on.board.chip.counts(address, size).erases, 0);
  on.ack("outcome");
  on.update(next, offerOf(next, "0.2.0"));
  assert.equal(on.outcomes.at(-1), "done");
});

test("without containers: of an image that is offered plain and as a container the plain file is fetched", () => {
  const on = device();
  const { size, digest } = offer;
  const plain = offerOf(next, "0.2.0", { url: "http://files/plain.bin" });
  on.push({ ...plain, delta: { url: "http://files/delta.xsu", size, digest: digest! } });
  assert.deepEqual(
    on.downloads.map(({ url }) => url),
    [plain.url],
  );
});

test("without containers: a job that other firmware has left half expanded fails, and the next image is taken", () => {
  const before = deviceWithAll();
  let sectors = 0;
  before.onHandled = ({ type }) => void (type === "expanded" && ++sectors === 5 && before.board.chip.powerOff());
  before.push(offer);
  assert.throws(() => before.deliver(container.bytes), PowerCut);
  before.board.powerOn();
  const on = device();
  for (const { key, form } of Object.values(RECORDS)) {
    const [{ store: from }, { store: to }] = [before.board.ports, on.board.ports];
    if (form === "number") to.setNumber(key, from.getNumber(key) ?? 0);
    else to.setBytes(key, from.getBytes(key) ?? new Uint8Array(0));
  }
  on.powerOn();
  on.connect();
  assert.match(on.outcomes[0] ?? "", /^rejected: the file is a container of deltas/);
  unbootable(on);
  on.ack("outcome");
  on.update(next, offerOf(next, "0.2.0"));
  assert.equal(on.outcomes.at(-1), "done");
});

const options = (more: Partial<AgentOptions>): AgentOptions => {
  const on = device();
  return { ports: { ...on.board.ports, network: {}, clock: new VirtualClock(), crypto: {} }, ...more } as AgentOptions;
};

test("without signatures: an agent that is given keys is not constructed", () => {
  const { publicKey } = makeKey();
  assert.throws(
    () => new OtaAgent(options({ policy: { signingKeys: [publicKey] } })),
    /^Error: signingKeys: this firmware was built without signatures: .*manifest_without_signatures\.json$/,
  );
});

test("without modules: an agent that is given installers is not constructed, and neither is an installer", () => {
  const cause = /^Error: modules: this firmware was built without other modules: .*manifest_without_modules\.json$/;
  assert.throws(() => new OtaAgent(options({ modules: {} })), cause);
  assert.throws(() => new PartitionInstaller({} as never), cause);
});

test("without the recorder: a failure is reported as ever, and there is no recording of it", () => {
  const clock = new VirtualClock();
  const task = { version: "0.2.0", file_size: SIZE, md5sum: "0".repeat(32), url: "http://files.example/fw.bin" };
  const cloud: Broker.Cloud = { task, reports: [], packets: 0 };
  const mqtt = broker(cloud);
  const files = perConnection((connection) => ({
    received: () => connection.send(Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")),
  }));
  const failures: Notice[] = [];
  const on = new VirtualDevice({
    board: device().board,
    clock,
    network: new VirtualNetwork({ clock, line: { latency: 20 }, peers: ({ port }) => (port === 80 ? files : mqtt) }),
    broker: { host: "broker", port: 1883, tls: false },
    platform: (crypto) => new TencentPlatform(CONFIG, crypto),
    policy: { allowHttp: true },
    onDiagnostics: () => assert.fail("a recording"),
    onNotice: (notice) => void (notice.event === "state" && notice.state === "fail" && failures.push(notice)),
  });
  on.powerOn();
  while (failures.length === 0) assert.ok(clock.now() < 3_600_000 && clock.step(), on.log.join("\n"));
  clock.advance(10_000);
  assert.deepEqual([failures.length, Object.hasOwn(failures[0]!, "reference")], [1, false]);
  assert.deepEqual(
    on.log.filter((line) => line.startsWith("recording")),
    [],
  );
});
