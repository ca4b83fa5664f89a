/** The cloud makes containers of its packages, by itself and when it is asked to. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { CloudHost } from "../../host-sim/cloud/cloud-host";
import type { Views } from "../../host-sim/cloud/api/schemas/views";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { pack } from "../../host-sim/delta/pack";
import { readContainer } from "../../src/container/format";
import { refusalOfSignature } from "../../src/signature/check";
import { TRAILER } from "../../src/signature/trailer";
import { BOARD } from "../cloud/helpers";
import { makeKey } from "../signature/test-keys";
import { call, ok, raw, withHost } from "./helpers";

type PackageView = Views["package"];

const image = (version: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../delta/vectors/${version}.bin`, import.meta.url)));

const upload = (host: CloudHost, version: string): Promise<PackageView> =>
  ok<PackageView>(host, `/packages?name=${version}.bin`, { method: "POST", body: image(version) });

const ask = (older: number) => ({ method: "POST", body: { older } });

const listed = async (host: CloudHost): Promise<PackageView[]> =>
  (await ok<{ items: PackageView[] }>(host, "/packages")).items;

const from = ({ container }: PackageView) => container?.parts.map((part) => part.from);

test("an image that comes after others of its product is made into a container with patches from the newest of them", async () => {
  await withHost(
    async (host) => {
      for (const version of ["0.1.0", "0.2.0", "0.3.0"]) await upload(host, version);
      const images = await listed(host);
      const newest = images.find(({ version, container }) => version === "0.3.0" && container === undefined)!;
      // Containers are made one after the other: what was begun before is there.
      const asked = await ok<{ package: PackageView; left: string[] }>(
        host,
        `/packages/${newest.id}/container`,
        ask(31),
      );
      assert.deepEqual(from(asked.package), [undefined, "0.2.0", "0.1.0"]);
      assert.deepEqual(asked.left, []);
      const containers = (await listed(host)).filter(({ container }) => container !== undefined).reverse();
      assert.deepEqual(containers.map(from), [
        [undefined, "0.1.0"],
        [undefined, "0.2.0"],
        [undefined, "0.2.0", "0.1.0"],
      ]);
      for (const { version, container, size } of containers.slice(1)) {
        assert.equal(version, "0.3.0");
        assert.equal(container?.package, newest.id);
        assert.equal(container?.image, newest.size);
        assert.ok(size < newest.size / 2);
      }
      assert.equal(host.cloud.packages.find("0.3.0")?.id, newest.id, "an image by its version");
    },
    { deltas: 1 },
  );
});

test("it is what the command makes of the same images, byte for byte", async () => {
  await withHost(async (host) => {
    for (const version of ["0.1.0", "0.2.0"]) await upload(host, version);
    const { id } = await upload(host, "0.3.0");
    assert.equal((await listed(host)).length, 3, "none is made where none is wanted");
    const { package: made } = await ok<{ package: PackageView }>(host, `/packages/${id}/container`, ask(1));
    const { bytes } = await pack({ to: image("0.3.0"), from: [image("0.2.0")] });
    const reader = await host.cloud.packages.reader(made.id);
    assert.deepEqual(Buffer.from(await reader.read(0, made.size)), Buffer.from(bytes));
    await reader.close();
  });
});

test("with a key the cloud signs what it makes", async () => {
  const key = makeKey();
  await withHost(
    async (host) => {
      await upload(host, "0.1.0");
      const { id } = await upload(host, "0.2.0");
      const { package: made } = await ok<{ package: PackageView }>(host, `/packages/${id}/container`, ask(1));
      const reader = await host.cloud.packages.reader(made.id);
      const bytes = await reader.read(0, made.size);
      await reader.close();
      const covered = readContainer(bytes).headLength - TRAILER;
      const hash = new Uint8Array(createHash("sha256").update(bytes.subarray(0, covered)).digest());
      const trailer = bytes.subarray(covered, covered + TRAILER);
      assert.equal(refusalOfSignature(hash, trailer, [key.point], new NodeCrypto()), undefined);
    },
    { deltaKey: key.privateKey },
  );
});

test("what no container can be made of is refused with the reason", async () => {
  await withHost(async (host) => {
    const { id } = await upload(host, "0.1.0");
    const refused = async (of: string, body: object): Promise<string> => {
      const { status, json } = await call(host, `/packages/${of}/container`, { method: "POST", body });
      return `${status} ${String(json()["error"])}`;
    };
    assert.match(await refused(id, { older: 1 }), /^422 there is no older package of its product and chip/);
    assert.match(await refused("0123456789abcdef", { older: 1 }), /^404 /);
    assert.match(await refused(id, { older: 32 }), /^400 /);
    const query = new URLSearchParams({ version: "0.2.0" }).toString();
    const other = await ok<PackageView>(host, `/packages?${query}`, { method: "POST", body: new Uint8Array(5000) });
    assert.match(await refused(other.id, { older: 1 }), /^422 .*image/);
    const newer = await upload(host, "0.2.0");
    const { package: made } = await ok<{ package: PackageView }>(host, `/packages/${newer.id}/container`, ask(1));
    assert.match(await refused(made.id, { older: 1 }), /^422 it is a container already/);
  });
});

test("a container that is being made does not keep the cloud from ending", async () => {
  let host: CloudHost | undefined;
  await withHost(
    async (running) => {
      host = running;
      await upload(running, "0.1.0");
      await upload(running, "0.2.0");
    },
    { deltas: 3 },
  );
  assert.equal(host?.cloud.packages.list().length, 2);
});

test("of each update a device's page tells the bytes that it took and those of the image", async () => {
  await withHost(async (host) => {
    const { cloud } = host;
    await upload(host, "0.1.0");
    const plain = await upload(host, "0.2.0");
    const { package: made } = await ok<{ package: PackageView }>(host, `/packages/${plain.id}/container`, ask(1));
    const device = cloud.addDevice("tencent", BOARD);
    for (const { id, size } of [plain, made]) {
      const file = cloud.packages.get(id)!;
      cloud.push(device, file);
      const now = Math.floor(cloud.files.now() / 1000);
      const served = once(cloud, "served");
      const { status } = await raw(cloud.httpPort, cloud.files.sign(file, "fw", device, now - 10, now + 100));
      assert.equal(status, 200);
      await served;
      const { tasks } = await ok<Views["deviceDetail"]>(host, `/devices/${encodeURIComponent(device)}`);
      assert.deepEqual([tasks[0]?.sent, tasks[0]?.image], [size, plain.size]);
    }
  });
});
