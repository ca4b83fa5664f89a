/** The servers of tls.check.ts, and how a connection to each must end. */
import assert from "node:assert/strict";
import { issue } from "../hal/issue";
import type { Issued } from "../hal/issue";
import type { Line } from "./harness";
import { Servers, certificates, helloDone, keyExchange, payload, record, serverHello, sumOf } from "./tls-servers";

const LENGTH = 100_000;
export const GET = `GET ${LENGTH}`;
/** TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA256. */
const RSA_GCM = 0xc02f;
const ECDSA_GCM = 0xc02b;
const RSA_CBC = 0x003c;
const HANDSHAKE = 22;
const ALERT = 21;

export interface Expected {
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

export const servers = new Servers();

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

const NAMES = ["localhost", "127.0.0.1"];

type Certificates = Awaited<ReturnType<typeof issueAll>>;

async function issueAll() {
  const root = await issue({ name: "RSA root", authority: true, kind: "rsa" });
  const ecRoot = await issue({ name: "EC root", authority: true });
  const rsa = await issue({ name: "rsa", by: root, kind: "rsa", names: NAMES });
  const ec = await issue({ name: "ec", by: ecRoot, names: NAMES });
  const middle = await issue({ name: "middle", by: ecRoot, authority: 0, kind: "ec384", hash: "SHA-384" });
  const mixed = await issue({ name: "mixed", by: middle, kind: "rsa", names: NAMES, hash: "SHA-384" });
  const stranger = await issue({ name: "stranger", authority: true });
  const attacker = await issue({ name: "attacker", by: root, kind: "rsa", names: ["attacker.example"] });
  const client = await issue({ name: "ota-bench-01", by: root, kind: "rsa" });
  return { root, ecRoot, rsa, ec, middle, mixed, stranger, attacker, client };
}

const chain = (...parts: readonly Issued[]): { key: string; cert: string } => ({
  key: parts[0]!.key,
  cert: parts.map(({ pem }) => pem).join(""),
});
const hello = (suite: number, ...parts: Buffer[]): Buffer => record(HANDSHAKE, serverHello(suite), ...parts);

/** `good`: port of a server with the certificate `rsa`. */
async function goodServers(good: number, { root, rsa, ec, ecRoot, mixed, middle }: Certificates): Promise<Expected[]> {
  const wildClient = { requestCert: true, rejectUnauthorized: true, ca: root.pem, ...chain(rsa, root) };
  return [
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
  ];
}

async function wrongCertificates({ root, rsa, stranger, attacker }: Certificates): Promise<Expected[]> {
  return [
    {
      title: "another authority",
      port: await servers.tls(chain(await issue({ name: "leaf", by: stranger, names: NAMES }), stranger)),
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
        chain(await issue({ name: "leaf", by: root, names: NAMES, to: new Date(Date.now() - 1000) }), root),
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
      port: await servers.tls(
        chain(await issue({ name: "leaf", by: attacker, kind: "rsa", names: NAMES }), attacker, root),
      ),
      check: refused("certificate", /unknown issuer/),
    },
  ];
}

async function wrongHandshakes({ root, ecRoot, rsa, ec }: Certificates): Promise<Expected[]> {
  return [
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
  ];
}

async function interruptedHandshakes(good: number): Promise<Expected[]> {
  let clear = "";
  const alerting = await servers.raw(
    () => record(ALERT, Buffer.from([1, 0])),
    (data) => (clear += data.toString("latin1")),
  );
  return [
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
  ];
}

async function damagedStreams(good: number, { root, rsa }: Certificates): Promise<Expected[]> {
  const flipped = await servers.between(good, (data, total) => {
    // One bit of each connection.
    if (total <= 45_000 && total + data.length > 45_000) data[data.length >> 1]! ^= 1;
    return data;
  });
  return [
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
}

export async function prepare(): Promise<{ expected: readonly Expected[]; roots: readonly Issued[]; client: Issued }> {
  const issued = await issueAll();
  const { root, ecRoot, rsa, client } = issued;
  const good = await servers.tls(chain(rsa, root));
  const groups = [
    await goodServers(good, issued),
    await wrongCertificates(issued),
    await wrongHandshakes(issued),
    await interruptedHandshakes(good),
    await damagedStreams(good, issued),
  ];
  return { expected: groups.flat(), roots: [root, ecRoot], client };
}
