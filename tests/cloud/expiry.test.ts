/** Certificates near their end: told weeks before, renewed where they are our own. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { test } from "node:test";
import { keptAuthority } from "../../host-sim/cli/cloud-tls";
import { createCloudHost } from "../../host-sim/cloud/cloud-host";
import { Authority, type Credentials } from "../../host-sim/cloud/core/listeners/certificates";
import { expiryWarnings } from "../../host-sim/cloud/core/listeners/expiry";
import { ok } from "../console/helpers";
import { temporaryFolder } from "../kit/folder";
import { withCloud } from "./helpers";

const DAY = 86_400_000;

/** For a server, valid until that many days from now. */
async function ending(days: number): Promise<Credentials & { root: string }> {
  const authority = await Authority.create("ec");
  const validity = { notBefore: new Date(Date.now() - 40 * DAY), notAfter: new Date(Date.now() + days * DAY) };
  return { ...(await authority.server(["127.0.0.1"], validity)), root: authority.root };
}

function presented(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

for (const [days, words] of [
  [20, /^the certificate expires on \d{4}-\d\d-\d\d: get a new one, and start the cloud with it$/],
  [-1, /^the certificate expired on \d{4}-\d\d-\d\d, and no device gets in: get a new one/],
] as const) {
  test(`a given certificate with ${days} days left is told of at start, in the journal and in the console`, async (t) => {
    const said: string[] = [];
    const tls = { credentials: await ending(days) };
    const host = await createCloudHost({ cloud: { tls }, engine: "node", failed: (line) => said.push(line) });
    t.after(() => host.close());
    await host.start();
    const { warnings } = await ok<{ warnings: string[] }>(host, "/overview");
    assert.match(warnings.join("\n"), words);
    const { items } = await ok<{ items: { what: string }[] }>(host, "/journal");
    assert.deepEqual([said, items.map(({ what }) => what)], [[`warning: ${warnings[0]}`], warnings]);
  });
}

test("a certificate that is good for longer is not worth a word, and one of the future speaks of the clock", async () => {
  const { certificate: pem } = await ending(60);
  const watched = { what: "the certificate", pem, cure: "renew it" };
  const now = Date.now();
  assert.deepEqual(expiryWarnings(watched, now), []);
  assert.match(
    expiryWarnings(watched, Date.UTC(1970, 0, 2)).join("\n"),
    /^the certificate is not valid before \d{4}-\d\d-\d\d: the clock of this machine says 1970-01-02$/m,
  );
});

test("a given certificate that does not name the cloud is told of", async (t) => {
  const said: string[] = [];
  const credentials = await ending(100);
  for (const publicHost of ["127.0.0.1", "ota.example.com", "192.0.2.7"]) {
    const cloud = { tls: { credentials }, publicHost };
    const host = await createCloudHost({ cloud, engine: "node", failed: (line) => said.push(line) });
    t.after(() => host.close());
    await host.start();
  }
  const words = (name: string): string =>
    `warning: the certificate is not valid for ${name}, where devices look for this cloud: get one that names it, or say --public-host`;
  assert.deepEqual(said, [words("ota.example.com"), words("192.0.2.7")]);
});

test("the cloud's own certificate is renewed before its end, without a restart", async () => {
  let now = Date.now();
  await withCloud({ tls: { kind: "ec" }, now: () => now }, async (cloud) => {
    const ports = [cloud.httpsPort, cloud.mqttsPort];
    const [first] = await Promise.all(ports.map(presented));
    now += 360 * DAY;
    await cloud.renew();
    assert.deepEqual(await Promise.all(ports.map(presented)), [first, first]);
    now += 20 * DAY;
    await cloud.renew();
    const [https, mqtts] = await Promise.all(ports.map(presented));
    assert.equal(https, mqtts);
    assert.notEqual(https, first);
  });
});

test("an authority that has expired is renewed with its name and key, and what that means is told", async (t) => {
  const folder = temporaryFolder(t);
  const said: string[] = [];
  const kept = (): Promise<Authority> => keptAuthority(folder, (line) => said.push(line));
  const file = (name: string): string => join(folder, name);
  await kept();
  assert.deepEqual(said, []);
  const fresh = readFileSync(file("root.pem"), "utf8");
  assert.equal((await kept()).root, fresh);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 3_600 * DAY });
  const renewed = await kept();
  assert.equal(readFileSync(file("root.pem"), "utf8"), renewed.root);
  assert.match(said.join("\n"), /root\.pem ends on \d{4}-\d\d-\d\d and was renewed with the same key: give devices/);
  const [before, after] = [new X509Certificate(fresh), new X509Certificate(renewed.root)];
  assert.ok(Date.parse(after.validTo) > Date.parse(before.validTo));
  const leaf = new X509Certificate((await renewed.server(["127.0.0.1"])).certificate);
  for (const root of [before, after])
    assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey), "either root is good for what it issues");
  t.mock.timers.setTime(Date.now() + 4_000 * DAY);
  await kept();
  assert.match(
    said.at(-1)!,
    /root\.pem expired on [\d-]+ and was renewed with the same key: give devices the new file/,
  );
});

test("an authority that is half there is refused, and nothing is made", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "root.pem"), (await Authority.create("ec")).root);
  await assert.rejects(
    keptAuthority(folder, () => undefined),
    /root\.pem and root\.key\.pem belong together, and one is missing/,
  );
  assert.ok(!existsSync(join(folder, "root.key.pem")));
  assert.deepEqual(readdirSync(folder).sort(), ["lock", "root.pem"]);
});
