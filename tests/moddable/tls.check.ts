/**
 * TLS on the SDK's engine, against servers that are what they should be and servers that are not. Most of the latter are let in, written to in the
 * clear, or end in an abort of the VM, where the SDK's own TLS socket meets them.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { issue } from "../hal/issue";
import type { Issued } from "../hal/issue";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless, warnings } from "./harness";
import type { Line } from "./harness";
import { Servers, certificates, helloDone, keyExchange, payload, record, serverHello, sumOf } from "./tls-servers";

const LENGTH = 100_000;
const GET = `GET ${LENGTH}`;
/** TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA256. */
const RSA_GCM = 0xc02f;
const ECDSA_GCM = 0xc02b;
const RSA_CBC = 0x003c;
const HANDSHAKE = 22;
const ALERT = 21;

interface Expected {
  readonly title: string;
  readonly port: number;
  readonly host?: string;
  readonly tls?: "mqtt" | "https";
  readonly send?: string;
  check(
    line: Line & {
      error?: { kind: string; message: string };
      received?: number;
      sum?: number;
      start?: string;
      opened?: boolean;
    },
  ): void;
}

const servers = new Servers();
let folder: string;
let results: readonly Line[] = [];
let expected: readonly Expected[] = [];

const downloaded: Expected["check"] = ({ error, received, sum }) => {
  assert.equal(error, undefined);
  assert.equal(received, LENGTH);
  assert.equal(sum, sumOf(payload(LENGTH)));
};
/** Ends in this kind of error, before anything was opened. */
const refused =
  (kind: string, message: RegExp): Expected["check"] =>
  ({ error, opened, received }) => {
    assert.equal(opened, false, "was opened");
    assert.equal(received, 0);
    assert.equal(error?.kind, kind, error?.message);
    assert.match(error?.message ?? "", message);
  };

async function prepare(): Promise<{ expected: readonly Expected[]; roots: readonly Issued[]; client: Issued }> {
  const root = await issue({ name: "RSA root", authority: true, kind: "rsa" });
  const ecRoot = await issue({ name: "EC root", authority: true });
  const names = ["localhost", "127.0.0.1"];
  const rsa = await issue({ name: "rsa", by: root, kind: "rsa", names });
  const ec = await issue({ name: "ec", by: ecRoot, names });
  const middle = await issue({ name: "middle", by: ecRoot, authority: 0, kind: "ec384", hash: "SHA-384" });
  const mixed = await issue({ name: "mixed", by: middle, kind: "rsa", names, hash: "SHA-384" });
  const stranger = await issue({ name: "stranger", authority: true });
  const attacker = await issue({ name: "attacker", by: root, kind: "rsa", names: ["attacker.example"] });
  const client = await issue({ name: "ota-bench-01", by: root, kind: "rsa" });
  const chain = (...parts: readonly Issued[]): { key: string; cert: string } => ({
    key: parts[0]!.key,
    cert: parts.map(({ pem }) => pem).join(""),
  });
  const hello = (suite: number, ...parts: Buffer[]): Buffer => record(HANDSHAKE, serverHello(suite), ...parts);

  const good = await servers.tls(chain(rsa, root));
  let clear = "";
  const alerting = await servers.raw(
    () => record(ALERT, Buffer.from([1, 0])),
    (data) => (clear += data.toString("latin1")),
  );
  let flip = false;
  const flipped = await servers.between(good, (data, total) => {
    if (total > 45_000 && !flip) {
      flip = true;
      data[data.length >> 1]! ^= 1;
    }
    return data;
  });
  const wildClient = { requestCert: true, rejectUnauthorized: true, ca: root.pem, ...chain(rsa, root) };

  const list: Expected[] = [
    { title: "RSA", port: good, check: downloaded },
    { title: "ECDSA", port: await servers.tls(chain(ec, ecRoot)), check: downloaded },
    {
      title: "an intermediate with P-384 and SHA-384 over an RSA leaf",
      port: await servers.tls(chain(mixed, middle)),
      check: downloaded,
    },
    { title: "by address", port: good, host: "127.0.0.1", check: downloaded },
    { title: "a chain of one", port: await servers.tls(chain(rsa)), check: downloaded },
    {
      title: "a server that takes the client's order of suites",
      port: await servers.tls({ ...chain(rsa, root), honorCipherOrder: false }),
      check: downloaded,
    },
    {
      title: "a client certificate",
      port: await servers.tls(wildClient),
      tls: "mqtt",
      send: "END",
      check: ({ error, start }) => assert.deepEqual([error, start], [undefined, "got 3, known"]),
    },
    {
      title: "no client certificate",
      port: await servers.tls(wildClient),
      send: "END",
      check: ({ error, received }) => assert.ok(error !== undefined && received === 0),
    },
    {
      title: "many records up",
      port: good,
      send: `${"u".repeat(20_000)}END`,
      check: ({ error, start }) => assert.deepEqual([error, start?.slice(0, 9)], [undefined, "got 20003"]),
    },

    {
      title: "another authority",
      port: await servers.tls(chain(await issue({ name: "leaf", by: stranger, names }), stranger)),
      check: refused("certificate", /unknown issuer/),
    },
    {
      title: "another name",
      port: await servers.tls(chain(await issue({ name: "leaf", by: root, names: ["other.example"] }), root)),
      check: refused("certificate", /not for localhost/),
    },
    {
      title: "expired",
      port: await servers.tls(
        chain(await issue({ name: "leaf", by: root, names, to: new Date(Date.now() - 1000) }), root),
      ),
      check: refused("certificate", /expired/),
    },
    {
      title: "the right certificate after the attacker's own",
      port: await servers.tls(chain(attacker, rsa, root)),
      check: refused("certificate", /not for localhost/),
    },
    {
      title: "issued by a server's certificate",
      port: await servers.tls(chain(await issue({ name: "leaf", by: attacker, kind: "rsa", names }), attacker, root)),
      check: refused("certificate", /unknown issuer/),
    },
    {
      title: "the right certificate, and a key exchange signed by nobody",
      port: await servers.raw(() =>
        hello(RSA_GCM, certificates([rsa.der, root.der]), keyExchange(0, 0, Buffer.alloc(0)), helloDone()),
      ),
      check: refused("tls", /not signed/),
    },
    {
      title: "an ECDSA signature of zeros",
      port: await servers.raw(() =>
        hello(
          ECDSA_GCM,
          certificates([ec.der, ecRoot.der]),
          keyExchange(4, 3, Buffer.from("3006020100020100", "hex")),
          helloDone(),
        ),
      ),
      check: refused("tls", /not signed/),
    },
    {
      title: "an RSA signature of zeros",
      port: await servers.raw(() =>
        hello(RSA_GCM, certificates([rsa.der, root.der]), keyExchange(4, 1, Buffer.alloc(256)), helloDone()),
      ),
      check: refused("tls", /not signed/),
    },
    {
      title: "no certificate",
      port: await servers.raw(() => hello(RSA_GCM, helloDone())),
      check: refused("tls", /out of place/),
    },
    {
      title: "no key exchange",
      port: await servers.raw(() => hello(RSA_GCM, certificates([rsa.der, root.der]), helloDone())),
      check: refused("tls", /out of place/),
    },
    {
      title: "a suite that was not offered",
      port: await servers.raw(() => hello(RSA_CBC, certificates([rsa.der, root.der]), helloDone())),
      check: refused("tls", /not offered/),
    },
    {
      title: "TLS 1.1",
      port: await servers.raw(() => record(HANDSHAKE, serverHello(RSA_GCM, 0x0302))),
      check: refused("tls", /TLS 1.2 refused/),
    },
    {
      title: "keys changed before there are any",
      port: await servers.raw(() => Buffer.concat([hello(RSA_GCM), record(20, Buffer.from([1]))])),
      check: refused("tls", /out of place/),
    },
    {
      title: "a close_notify in the clear, as an answer to the hello",
      port: alerting,
      send: "a secret",
      check(line) {
        refused("tls", /alert/)(line);
        assert.equal(clear, "", "something went out in the clear");
      },
    },
    {
      title: "data slipped in before the handshake",
      port: await servers.between(good, (data, total) =>
        total === 0 ? Buffer.concat([record(23, Buffer.from("EVIL")), data]) : data,
      ),
      check: refused("tls", /out of place/),
    },
    {
      title: "no suite in common",
      port: await servers.tls({ ...chain(rsa, root), ciphers: "AES128-SHA256:@SECLEVEL=0" }),
      check: refused("tls", /alert/),
    },
    {
      title: "TLS 1.3 alone",
      port: await servers.tls({ ...chain(rsa, root), minVersion: "TLSv1.3", maxVersion: "TLSv1.3" }),
      check: refused("tls", /alert/),
    },
    {
      title: "HTTP instead of TLS",
      port: await servers.raw(() => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")),
      check: refused("tls", /not a TLS record/),
    },
    {
      title: "a record too long",
      port: await servers.raw(() => Buffer.concat([Buffer.from([HANDSHAKE, 3, 3, 0xff, 0xff]), Buffer.alloc(3000)])),
      check: refused("tls", /not a TLS record/),
    },
    {
      title: "a message too long",
      port: await servers.raw(() => hello(RSA_GCM, Buffer.from([11, 0, 255, 255]))),
      check: refused("tls", /too long/),
    },
    {
      title: "a certificate that is none",
      port: await servers.raw(() => hello(RSA_GCM, certificates([Buffer.from([0x30, 0x83, 0xff])]))),
      check: refused("certificate", /malformed/),
    },

    {
      title: "a bit turned over in the stream",
      port: flipped,
      check({ error, received }) {
        assert.equal(error?.kind, "tls");
        assert.ok(received! > 0 && received! < LENGTH);
      },
    },
    {
      title: "cut off",
      port: await servers.between(good, (data, total) => (total > 20_000 ? undefined : data)),
      check: ({ error, received }) => assert.ok(error !== undefined && received! < LENGTH),
    },
    { title: "nobody there", port: await servers.nobody(), check: refused("refused", /./) },
  ];
  return { expected: list, roots: [root, ecRoot], client };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xs-ota-moddable-"));
  const prepared = await prepare();
  expected = prepared.expected;
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const privateKey = prepared.client.key.replace(/-----[^-]+-----|\s/g, "");
  const cases = expected.map(({ title, port, host = "localhost", tls = "https", send = GET }) => ({
    title,
    port,
    host,
    tls,
    send,
  }));
  writeFileSync(
    join(folder, "cases.json"),
    JSON.stringify({
      roots: prepared.roots.map(({ der }) => base64(der)),
      certificate: base64(prepared.client.der),
      privateKey,
      cases,
    }),
  );
  const { path, output } = build(join(ROOT, "tests", "moddable", "tls"), BUILD);
  assert.deepEqual(warnings(output), []);
  const run = new HeadlessRun(buildHeadless(BUILD), path, { XS_OTA_SIM: folder });
  await run.line(({ done }) => done === true);
  await run.cut();
  results = run.lines;
});

after(() => {
  servers.close();
  rmSync(folder, { recursive: true });
});

test("every server is met as it should be", async (context) => {
  for (const each of expected) {
    await context.test(each.title, () => {
      const line = results.find(({ title }) => title === each.title);
      assert.ok(line !== undefined, "the app did not say how it went");
      each.check(line);
    });
  }
});
