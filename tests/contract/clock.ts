/** What every `Clock` of src/ports.ts keeps to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/ports";

export function clockContract(name: string, create: () => { clock: Clock; close(): void }): void {
  const contract = (title: string, run: (clock: Clock) => Promise<void>): void =>
    void test(`${name}: ${title}`, async () => {
      const { clock, close } = create();
      try {
        await run(clock);
      } finally {
        close();
      }
    });

  contract(
    "time never goes back, and a timer's time has passed when it calls, up to the rounding of 1 ms",
    async (clock) => {
      const start = clock.now();
      assert.ok(Number.isInteger(start), `${start}`);
      await new Promise<void>((resolve) => clock.set(resolve, 20));
      assert.ok(clock.now() - start >= 19, `${clock.now() - start}`);
    },
  );

  contract("a timer of 0 ms calls later, not from inside set", async (clock) => {
    let inside = true;
    const called = new Promise<boolean>((resolve) => clock.set(() => resolve(inside), 0));
    inside = false;
    assert.equal(await called, false);
  });

  contract("each calls once, the earlier first, a cleared one never", async (clock) => {
    const order: string[] = [];
    const cleared = clock.set(() => order.push("cleared"), 1);
    clock.set(() => order.push("second"), 30);
    clock.set(() => order.push("first"), 2);
    clock.clear(cleared);
    await new Promise<void>((resolve) => clock.set(resolve, 60));
    assert.deepEqual(order, ["first", "second"]);
    clock.clear(cleared);
    clock.clear(987_654);
  });

  contract("one timer may clear another that is due", async (clock) => {
    const order: string[] = [];
    const handles: number[] = [];
    const both = (own: number) => (): void => {
      order.push(String(own));
      clock.clear(handles[1 - own]!);
    };
    handles.push(clock.set(both(0), 5), clock.set(both(1), 5));
    await new Promise<void>((resolve) => clock.set(resolve, 30));
    assert.equal(order.length, 1);
  });

  contract("a wait longer than a month does not call at once", async (clock) => {
    let early = false;
    const handle = clock.set(() => (early = true), 40 * 86_400_000);
    await new Promise<void>((resolve) => clock.set(resolve, 10));
    assert.equal(early, false);
    clock.clear(handle);
  });
}
