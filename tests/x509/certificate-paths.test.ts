/** Which of several ways from a server to a root is taken (RFC 4158), and what the search costs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyChain } from "../../src/x509/certificate-chain";
import { issue, reissued } from "../hal/issue";
import type { Issued } from "../hal/issue";
import { DAY, check, refused, verify } from "./chains";

const root = await issue({ name: "root", authority: true });

/** Every order of the items. */
function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) => orders(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

const YESTERDAY = new Date(Date.now() - DAY);
const LONG_AGO = new Date(Date.now() - 900 * DAY);

test("a certificate and its expired twin, of the same name and key: one good path is enough, in any order", async () => {
  const by = await issue({ name: "twin root", authority: true });
  const expired = await reissued(by, by, { from: LONG_AGO, to: YESTERDAY });
  const middle = await issue({ name: "middle", by, authority: true });
  const oldMiddle = await reissued(middle, by, { from: LONG_AGO, to: YESTERDAY });
  const leaf = await issue({ name: "leaf", by: middle, names: ["broker.example"] });
  for (const sent of orders([middle, oldMiddle, by, expired]))
    for (const trusted of orders([by, expired, root])) check([leaf, ...sent], trusted);
  refused([leaf, oldMiddle], [by], /certificate has expired on \d{4}-\d\d-\d\d/);
  refused([leaf, oldMiddle, middle], [expired], /^the trusted root twin root has expired on \d{4}-\d\d-\d\d$/);
});

test("a renewed root that the old one has signed is an intermediate", async () => {
  const old = await issue({ name: "renewed", authority: true });
  const renewed = await issue({ name: "renewed", authority: true });
  const bridge = await reissued(renewed, old);
  const leaf = await issue({ name: "leaf", by: renewed, names: ["broker.example"] });
  for (const sent of orders([bridge, renewed])) check([leaf, ...sent], [old]);
});

test("a path that leads nowhere is left for one that leads to a root", async () => {
  const unknown = await issue({ name: "unknown", authority: true });
  const middle = await issue({ name: "middle", by: unknown, authority: true });
  const crossed = await reissued(middle, root);
  const leaf = await issue({ name: "leaf", by: middle, names: ["broker.example"] });
  const faulty = { ...crossed, der: crossed.der.slice() };
  faulty.der[faulty.der.length - 1]! ^= 1;
  for (const sent of orders([middle, unknown, crossed, faulty])) check([leaf, ...sent], [root]);
  refused([leaf, middle, unknown, faulty], [root], /unknown issuer/);
});

/** The verdict, and how many signatures were looked at. */
function counted(
  certificates: readonly Issued[],
  roots: readonly Issued[],
): { readonly checks: number; error?: string } {
  let checks = 0;
  const given = { certificates: certificates.map(({ der }) => der), roots: roots.map(({ der }) => der) };
  try {
    verifyChain({
      ...given,
      host: "broker.example",
      now: Date.now(),
      verify: (...signed) => (checks++, verify(...signed)),
    });
    return { checks };
  } catch (error) {
    return { checks, error: (error as Error).message };
  }
}

test("authorities that have signed one another end in a verdict, after no more checks than signatures", async () => {
  const names = ["east", "west", "north"];
  const own = await Promise.all(names.map((name) => issue({ name, authority: true })));
  const crossed = await Promise.all(own.flatMap((one) => own.map((other) => reissued(one, other))));
  const leaf = await issue({ name: "leaf", by: own[0]!, names: ["broker.example"] });
  const { checks, error } = counted([leaf, ...crossed], [root]);
  assert.equal(error, "certificate of unknown issuer");
  assert.ok(checks <= crossed.length + 1, `${checks} checks`);
  const bridge = await reissued(own[2]!, root);
  for (const sent of [
    [...crossed, bridge],
    [bridge, ...crossed],
  ])
    assert.equal(counted([leaf, ...sent], [root]).error, undefined);
});

test("a hundred candidates of one name: the right one is found, after a bounded number of checks", async () => {
  const namesakes = await Promise.all(
    Array.from({ length: 99 }, () => issue({ name: "common", by: root, authority: true })),
  );
  const right = await issue({ name: "common", by: root, authority: true });
  const leaf = await issue({ name: "leaf", by: right, names: ["broker.example"] });
  assert.deepEqual(counted([leaf, ...namesakes, right], [root]), { checks: 101 });
  assert.deepEqual(counted([leaf, ...namesakes], [root]), { checks: 99, error: "certificate of unknown issuer" });
  // Four levels of twins: 25 to the fourth power of paths.
  const levels = [right];
  for (const name of ["second", "third", "fourth"])
    levels.push(await issue({ name, by: levels.at(-1)!, authority: true }));
  const twins = await Promise.all(
    levels.slice(1).flatMap((one, at) => Array.from({ length: 25 }, () => reissued(one, levels[at]!))),
  );
  const deep = await issue({ name: "leaf", by: levels[3]!, names: ["broker.example"] });
  assert.equal(counted([deep, ...twins, right], [root]).error, undefined);
  const stranger = await issue({ name: "root", authority: true });
  const { checks, error } = counted([deep, ...twins, right], [stranger]);
  assert.match(error!, /unknown issuer|too many possible issuers/);
  assert.ok(checks <= 76 + 1 + 8, `${checks} checks`);
});
