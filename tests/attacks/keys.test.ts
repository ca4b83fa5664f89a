/** Keys come and go, and what was refused once is remembered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { REFUSED_MAX } from "../../src/constants";
import { signed } from "../signature/desk";
import { Bench, firmware, good, stranger, vendor } from "./bench";

test("a key is rolled: both are trusted for a while, then the old one is retired and what it signs is refused", async (t) => {
  const bench = await Bench.start(t);
  const [oldKey, newKey] = [vendor, stranger];
  assert.equal((await bench.offer(signed(await firmware("0.2.0"), newKey))).code, -5, "not yet trusted");
  await bench.off();
  bench.configure({ signingKeys: [oldKey.publicKey, newKey.publicKey] });
  await bench.on();
  // One signed by each; the first of them would be the firmware that brings the new key, where keys are built in.
  assert.equal((await bench.offer(signed(await firmware("0.3.0"), oldKey))).status, "success");
  assert.equal((await bench.offer(signed(await firmware("0.4.0"), newKey))).status, "success");
  await bench.off();
  bench.configure({ signingKeys: [newKey.publicKey] });
  await bench.on();
  const refused = await bench.offer(signed(await firmware("0.5.0"), oldKey));
  assert.deepEqual([refused.code, refused.message], [-5, "signed by a key that is not trusted here"]);
  assert.equal((await bench.offer(signed(await firmware("0.6.0"), newKey))).status, "success");
});

test("keys that are none: the agent does not start, and so no update is taken without a check", async (t) => {
  const bench = await Bench.start(t);
  await bench.listening();
  await bench.off();
  // device.json is checked on the desk before the board starts; a chip has only its firmware to do so.
  for (const key of ["04".padEnd(130, "0"), "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]) {
    bench.configure({ signingKeys: [key] });
    await assert.rejects(bench.on(), /device\.json: signingKeys: /);
  }
});

test("a refused image is refused at once after a restart too, without a download", async (t) => {
  const bench = await Bench.start(t);
  const forged = signed(await firmware("0.2.0"), stranger);
  await bench.repelled(
    async () => {
      assert.equal((await bench.offer(forged)).code, -5);
      // What is answered after the next offer was acknowledged before it.
      await bench.offer(await good("0.0.9"));
      bench.forget();
      await bench.off();
      await bench.on();
      const before = bench.cloud.traffic.total().bytes;
      await bench.offer(forged);
      assert.equal(bench.cloud.traffic.total().bytes, before);
    },
    { code: -5, message: /^this image was refused before; it is not tried again$/ },
  );
});

test("signed firmware that failed its trial is not started again, even after more forged images than are remembered", async (t) => {
  const bench = await Bench.start(t);
  const release = signed(await firmware("0.2.0", { payload: Buffer.from('throw new Error("bad release")') }), vendor);
  const trials = (): number => bench.witness.events.filter((event) => Object(event).trial === true).length;
  assert.match((await bench.offer(release)).message ?? "", /failed in its trial/);
  for (let n = 0; n < REFUSED_MAX + 2; n++) {
    // Each forged image has a version of its own: a report identifies its offer by the version alone.
    const version = `0.3.${n}`;
    const forged = new Uint8Array(4_000).fill(n);
    forged.set(await firmware(version, { payload: Buffer.from("1") }));
    assert.equal((await bench.offer(forged)).message, "the file is not signed");
  }
  const { code, message } = await bench.offer(release);
  assert.deepEqual([code, message], [-5, "this image was rolled back before; it is not tried again"]);
  assert.equal(trials(), 1);
  await bench.serves(await good("0.2.1"), "0.2.1");
  assert.equal(trials(), 2, "its own, and that of the good update");
});
