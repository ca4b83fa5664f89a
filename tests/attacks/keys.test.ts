/** Keys are rotated, and refused images are remembered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { REFUSED_MAX } from "../../src/constants";
import { signed } from "../signature/test-keys";
import { Bench, firmware, good, stranger, vendor } from "./bench";

test("key rotation: both keys are trusted for a while, then images signed by the old one are refused", async (t) => {
  const bench = await Bench.start(t);
  const [oldKey, newKey] = [vendor, stranger];
  assert.equal((await bench.offer(signed(await firmware("0.2.0"), newKey))).code, -5, "not yet trusted");
  await bench.off();
  bench.configure({ signingKeys: [oldKey.publicKey, newKey.publicKey] });
  await bench.on();
  // One image signed by each key. Where keys are built in, the first is the firmware with the new key.
  assert.equal((await bench.offer(signed(await firmware("0.3.0"), oldKey))).status, "success");
  assert.equal((await bench.offer(signed(await firmware("0.4.0"), newKey))).status, "success");
  await bench.off();
  bench.configure({ signingKeys: [newKey.publicKey] });
  await bench.on();
  const refused = await bench.offer(signed(await firmware("0.5.0"), oldKey));
  assert.deepEqual([refused.code, refused.message], [-5, "signed by a key that is not trusted here"]);
  assert.equal((await bench.offer(signed(await firmware("0.6.0"), newKey))).status, "success");
});

test("with invalid keys the agent does not start, so that no update is installed without a check", async (t) => {
  const bench = await Bench.start(t);
  await bench.listening();
  await bench.off();
  // The host checks device.json before the board starts; on a chip only the firmware can check keys.
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
      // The answer to the next offer comes after the acknowledgement of this one.
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
  const trials = (): number => bench.eventLog.events.filter((event) => Object(event).trial === true).length;
  assert.match((await bench.offer(release)).message ?? "", /did not come to powerOn/);
  for (let n = 0; n < REFUSED_MAX + 2; n++) {
    // Each forged image has its own version, because a report identifies its offer by the version only.
    const version = `0.3.${n}`;
    const forged = await firmware(version, { payload: Buffer.from("1"), size: 4_000 });
    assert.equal((await bench.offer(forged)).message, "the file is not signed");
  }
  const { code, message } = await bench.offer(release);
  assert.deepEqual([code, message], [-5, "this image was rolled back before; it is not tried again"]);
  assert.equal(trials(), 1);
  await bench.serves(await good("0.2.1"), "0.2.1");
  assert.equal(trials(), 2, "its own, and that of the good update");
});
