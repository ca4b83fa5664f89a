import assert from "node:assert/strict";
import { test } from "node:test";
import { deflated, packScript, unpackScript } from "../../host-sim/board/firmware/packed-script";

test("a packed script is its head and its rest, as they were", () => {
  const payload = packScript('var FIRMWARE={"version":"0.2.0"};\n', deflated('print("ü", 1);'));
  assert.equal(unpackScript(payload), 'var FIRMWARE={"version":"0.2.0"};\nprint("ü", 1);');
});

test("another head changes no byte behind it", () => {
  const rest = deflated("x".repeat(1000));
  const [one, two] = [packScript("a", rest), packScript("b", rest)];
  assert.deepEqual(one.subarray(1), two.subarray(1));
});

test("text without a zero byte is a script as it is", () => {
  assert.equal(unpackScript(Buffer.from("throw 1;")), "throw 1;");
});

test("a script that is damaged or grows without bound is refused", () => {
  const payload = packScript("", deflated("x".repeat(1000)));
  assert.throws(() => unpackScript(payload.subarray(0, -2)));
  assert.throws(() => unpackScript(packScript("", deflated("x".repeat(9 << 20)))), RangeError);
});
