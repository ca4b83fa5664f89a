/** An offer of the running version that the broker has retained comes again at each connect. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

const factory = image("0.1.0");

/** Writes and deletes of the store from now on. */
const storeWrites = ({ board: { ports } }: JobFixture): (() => number) => {
  let count = 0;
  const { setNumber, setBytes, delete: remove } = ports.store;
  Object.assign(ports.store, {
    setNumber: (key: string, value: number) => (count++, setNumber.call(ports.store, key, value)),
    setBytes: (key: string, bytes: Uint8Array) => (count++, setBytes.call(ports.store, key, bytes)),
    delete: (key: string) => (count++, remove.call(ports.store, key)),
  });
  return () => count;
};

for (const [platform, options] of [
  ["a cloud that pushes again", {}],
  ["a cloud that pushes once", { rules: { renewable: false }, platform: "thingspanel" }],
] as const satisfies readonly (readonly [string, FixtureOptions])[]) {
  for (const [what, file] of [
    ["the same image", factory],
    ["another image", image("0.1.0", 30_000)],
  ] as const)
    test(`100 deliveries of the running version, ${what}, from ${platform}: one answer each, and one job in the store`, () => {
      const fixture = new JobFixture({ factory, ...options });
      fixture.connect();
      const offer = offerOf(file, "0.1.0");
      fixture.push(offer);
      fixture.deliver(file, SECTOR);
      fixture.ack("outcome");
      const [first] = fixture.outcomes;
      const writes = storeWrites(fixture);
      for (let count = 1; count < 100; count++) {
        fixture.disconnect();
        fixture.connect();
        fixture.push(offer);
        fixture.ack("refused");
        assert.equal(fixture.state, "idle");
      }
      assert.equal(writes(), 0);
      assert.deepEqual(
        fixture.outcomes,
        Array.from({ length: 100 }, () => first),
      );
    });
}

test("another offer of the running version is looked at anew", () => {
  const fixture = new JobFixture({ factory });
  fixture.connect();
  fixture.push(offerOf(factory, "0.1.0"));
  fixture.ack("outcome");
  const other = image("0.1.0", 30_000);
  fixture.push(offerOf(other, "0.1.0"));
  fixture.deliver(other, SECTOR);
  assert.deepEqual([fixture.outcomes[0], fixture.outcomes[1]?.slice(0, 9)], ["done", "rejected:"]);
});
