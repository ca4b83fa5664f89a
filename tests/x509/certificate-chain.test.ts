/**
 * Which servers are trusted. The signatures are checked by Node here; on XS by hal/moddable/signatures.ts, which
 * tests/moddable tries.
 */
import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { parseCertificate } from "../../src/x509/certificate";
import { CertificateError, addressBytes, verifyChain } from "../../src/x509/certificate-chain";
import { toHex } from "../../src/util/hex";
import { DerReader, SEQUENCE } from "../../src/x509/der";
import { isAddress, isHostName } from "../../hal/moddable/host-names";
import { ExtendedKeyUsage, KeyUsageFlags, issue, stranger } from "../hal/issue";
import type { Issued } from "../hal/issue";
import { DAY, check, refused, verify } from "./chains";

const root = await issue({ name: "root", authority: true });
const server = await issue({ name: "server", by: root, names: ["broker.example", "192.0.2.1", "2001:db8::1"] });

test("a server's certificate under a trusted root, with the root in the chain or without", () => {
  const key = check([server, root], [root]);
  assert.equal(key.kind, "ec");
  check([server], [root]);
});

test("every kind of key and signature that is trusted", async () => {
  for (const kind of ["rsa", "ec", "ec384"] as const) {
    for (const hash of ["SHA-256", "SHA-384", "SHA-512"] as const) {
      const authority = await issue({ name: `${kind} root`, authority: true, kind });
      const leaf = await issue({ name: "leaf", by: authority, names: ["broker.example"], hash });
      check([leaf, authority], [authority]);
    }
  }
});

test("intermediates, in any order and with others between them", async () => {
  const first = await issue({ name: "first", by: root, authority: true });
  const second = await issue({ name: "second", by: first, authority: 0 });
  const leaf = await issue({ name: "leaf", by: second, names: ["broker.example"] });
  check([leaf, second, first], [root]);
  check([leaf, server, first, second, root], [root]);
  check([leaf, second, first], [first]);
  refused([leaf, first], [root], /unknown issuer/);
});

test("a chain of another root is refused, and one without any root", async () => {
  const other = await issue({ name: "root", authority: true });
  refused([server, root], [other], /unknown issuer/);
  refused([server, root], [], /no trusted root/);
  refused([], [root], /malformed/);
});

test("the name must be in the server's own certificate, not in another of the chain", async () => {
  const attacker = await issue({ name: "attacker", by: root, names: ["attacker.example"] });
  const stranded = await issue({ name: "attacker", names: ["attacker.example"] });
  refused([attacker, server, root], [root], /not for broker.example/);
  refused([stranded, server, root], [root], /not for broker.example/);
});

test("a certificate that is no authority issues nothing", async () => {
  const leaf = await issue({ name: "leaf", by: server, names: ["broker.example"] });
  refused([leaf, server, root], [root], /unknown issuer/);
  const unfit = await issue({ name: "unfit", by: root, authority: true, keyUsage: KeyUsageFlags.digitalSignature });
  refused([await issue({ name: "leaf", by: unfit, names: ["broker.example"] }), unfit], [root], /unknown issuer/);
  const short = await issue({ name: "short", by: root, authority: 0 });
  const below = await issue({ name: "below", by: short, authority: true });
  refused(
    [await issue({ name: "leaf", by: below, names: ["broker.example"] }), below, short],
    [root],
    /unknown issuer/,
  );
});

/**
 * The same without version and extensions, as `openssl x509 -req` makes it where it is told of none. Issuers with P-256
 * only.
 */
function versionOne(certificate: Issued, by: Issued): Issued {
  const sequence = (...parts: Uint8Array[]): Uint8Array => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.of(SEQUENCE, 0x82, content.length >> 8, content.length & 0xff), content]);
  };
  const frame = new DerReader(certificate.der).enter();
  const fields = new DerReader(frame.next(SEQUENCE).content);
  const kept: Uint8Array[] = [];
  while (fields.more) {
    const { tag, whole } = fields.next();
    if (tag !== 0xa0 && tag !== 0xa3) kept.push(whole);
  }
  const signed = sequence(...kept);
  const signature = sign("sha256", signed, by.key);
  return {
    ...certificate,
    der: new Uint8Array(sequence(signed, frame.next(SEQUENCE).whole, Buffer.of(3, signature.length + 1, 0), signature)),
  };
}

test("a certificate of version 1 can not say that it is no authority: it issues nothing, unless it is itself a root", async () => {
  const device = versionOne(await issue({ name: "device", by: root }), root);
  assert.equal(parseCertificate(device.der).version, 1);
  const leaf = await issue({ name: "leaf", by: device, names: ["broker.example"] });
  refused([leaf, device], [root], /unknown issuer/);
  refused([leaf, device, root], [root], /unknown issuer/);
  check([leaf], [device]);
});

test("the dates of each certificate are checked, the root's included", async () => {
  refused([server, root], [root], /expired/, undefined, Date.now() + 60 * DAY);
  refused([server, root], [root], /not yet valid \(is the clock set\?\)/, undefined, 0);
  const old = await issue({ name: "old", by: root, authority: true, to: new Date(Date.now() - 1000) });
  refused([await issue({ name: "leaf", by: old, names: ["broker.example"] }), old], [root], /expired/);
  const oldRoot = await issue({ name: "old root", authority: true, to: new Date(Date.now() - 1000) });
  refused([await issue({ name: "leaf", by: oldRoot, names: ["broker.example"] })], [oldRoot], /expired/);
  const late = await issue({ name: "late", authority: true, from: new Date("2051-01-01"), to: new Date("2060-01-01") });
  check(
    [
      await issue({
        name: "leaf",
        by: late,
        names: ["broker.example"],
        from: new Date("2051-01-01"),
        to: new Date("2060-01-01"),
      }),
    ],
    [late],
    undefined,
    Date.UTC(2055, 0),
  );
});

test("weak signatures and weak keys are refused", async () => {
  const rsa = await issue({ name: "rsa", authority: true, kind: "rsa" });
  refused([await issue({ name: "leaf", by: rsa, names: ["broker.example"], hash: "SHA-1" })], [rsa], /unknown issuer/);
  refused([await issue({ name: "leaf", by: root, names: ["broker.example"], kind: "rsa1024" })], [root], /weak/);
  const weak = await issue({ name: "weak", authority: true, kind: "rsa1024" });
  refused([await issue({ name: "leaf", by: weak, names: ["broker.example"] })], [weak], /unknown issuer/);
});

test("a certificate for something else than a TLS server is refused", async () => {
  refused(
    [await issue({ name: "client", by: root, names: ["broker.example"], usage: ExtendedKeyUsage.clientAuth })],
    [root],
    /not for a TLS server/,
  );
  refused(
    [await issue({ name: "signer", by: root, names: ["broker.example"], keyUsage: KeyUsageFlags.keyEncipherment })],
    [root],
    /not for a TLS server/,
  );
  check(
    [await issue({ name: "server", by: root, names: ["broker.example"], usage: ExtendedKeyUsage.serverAuth })],
    [root],
  );
});

test("an extension of unknown meaning is refused where it is critical", async () => {
  refused(
    [await issue({ name: "leaf", by: root, names: ["broker.example"], more: [stranger(true)] })],
    [root],
    /critical/,
  );
  check([await issue({ name: "leaf", by: root, names: ["broker.example"], more: [stranger(false)] })], [root]);
});

test("a certificate that is itself trusted needs no issuer", async () => {
  const own = await issue({ name: "own", names: ["broker.example"] });
  check([own], [own]);
  refused([own], [root], /unknown issuer/);
});

test("names: without regard to case, a wildcard for one whole label, addresses byte by byte", async () => {
  const wild = await issue({
    name: "wild",
    by: root,
    names: ["*.example.com", "*.com", "a*.example.org", "Exact.Example.NET"],
  });
  for (const host of ["a.example.com", "A.EXAMPLE.COM", "a.example.com.", "exact.example.net"])
    check([wild], [root], host);
  for (const host of [
    "example.com",
    "a.b.example.com",
    "evil.com",
    "ab.example.org",
    ".example.com",
    "other.example.net",
  ])
    refused([wild], [root], /not for/, host);
  for (const host of ["192.0.2.1", "2001:db8::1", "2001:DB8:0:0:0:0:0:1"]) check([server], [root], host);
  for (const host of ["192.0.2.2", "2001:db8::2", "::1"]) refused([server], [root], /not for/, host);
  const named = await issue({ name: "named", by: root, names: ["address.example"] });
  refused([named], [root], /not for/, "192.0.2.1");
});

test("a name in the subject only does not count", async () => {
  refused([await issue({ name: "broker.example", by: root })], [root], /not for/);
});

test("any bytes end in a result or a CertificateError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.throws(
        () =>
          verifyChain({ certificates: [bytes], roots: [root.der], host: "broker.example", now: Date.now(), verify }),
        CertificateError,
      );
    }),
  );
});

test("one changed byte anywhere is refused", () => {
  for (let at = 0; at < server.der.length; at++) {
    const der = server.der.slice();
    der[at]! ^= 0x01;
    assert.throws(
      () => verifyChain({ certificates: [der], roots: [root.der], host: "broker.example", now: Date.now(), verify }),
      `byte ${at}`,
    );
  }
});

test("a certificate cut short anywhere is malformed", () => {
  for (let length = 0; length < server.der.length; length++)
    assert.throws(() => parseCertificate(server.der.subarray(0, length)), `${length} bytes`);
});

test("hosts: addresses and names", () => {
  assert.equal(toHex(addressBytes("127.0.0.1")!), "7f000001");
  assert.equal(toHex(addressBytes("::ffff:1")!), "000000000000000000000000ffff0001");
  assert.equal(toHex(addressBytes("1:2:3:4:5:6:7:8")!), "00010002000300040005000600070008");
  assert.equal(addressBytes("example.com"), undefined);
  for (const host of ["127.0.0.1", "::1"]) assert.ok(isAddress(host));
  for (const host of ["localhost", "a.example", "1.2.3.example"]) assert.ok(!isAddress(host));
  for (const host of ["localhost", "a-b.c_d.example", "xn--bcher-kva.example."]) assert.ok(isHostName(host), host);
  for (const host of ["", "a..b", ".a", "a b", "a\0b", "ä.example", `${"a".repeat(64)}.example`, "a.".repeat(130)])
    assert.ok(!isHostName(host), host);
});
