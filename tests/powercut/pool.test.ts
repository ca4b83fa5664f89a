/** The workers of the search: each piece of work is done once; the pool stops on request and when a worker dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { carryOutAll } from "./search/pool";
import type { Works } from "./search/pool";
import type { Tally } from "./checks/tally";
import type { Work } from "./search/work";

const piece = (seed: number, count = 1): Work => ({
  kind: "sample",
  setting: { scenario: "good", scale: "small", device: "job", network: "" },
  seed,
  count,
  depth: 1,
});

/** Pieces 0, 1, 2 ...: the n-th has n + 1 cases. */
function counted(length: number): Works & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    length,
    asked,
    at: (index) => {
      asked.push(index);
      return piece(index, index + 1);
    },
  };
}

for (const processes of [0, 2]) {
  test(`with ${processes || "no"} processes every piece is read in order, done once, and reported with its index`, async () => {
    const works = counted(7);
    const done = new Map<number, number>();
    await carryOutAll(works, {
      processes,
      onDone: (tally: Tally, index) => {
        assert.ok(!done.has(index));
        done.set(index, tally.cases);
      },
    });
    assert.deepEqual(works.asked, [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(
      [...done].sort(([a], [b]) => a - b),
      [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 5],
        [5, 6],
        [6, 7],
      ],
    );
  });
}

for (const processes of [0, 2]) {
  test(`with ${processes || "no"} processes an endless list ends when enough() is true`, async () => {
    const works = counted(Infinity);
    let cases = 0;
    await carryOutAll(works, { processes, enough: () => cases >= 6, onDone: (tally) => void (cases += tally.cases) });
    assert.ok(cases >= 6);
    assert.ok(works.asked.length <= 3 + Math.max(processes, 1), `${works.asked.length} pieces were begun`);
  });
}

test("nothing starts when enough() is true from the beginning", async () => {
  const works = counted(5);
  await carryOutAll(works, { processes: 1, enough: () => true, onDone: () => assert.fail("a piece was done") });
  assert.deepEqual(works.asked, []);
});

test("an empty list is done at once", async () => {
  await carryOutAll([], { processes: 2, onDone: () => assert.fail("a piece was done") });
});

test("a worker that dies is an error, and the others finish their piece and end", async () => {
  const setting = { scenario: "good", scale: "small", device: "agent", network: "storm1" } as const;
  const deadly: Work = { kind: "sample", setting, seed: 1, count: 1, depth: 1 };
  let begun = 0;
  const endless: Works = { length: Infinity, at: () => (++begun === 3 ? deadly : piece(begun)) };
  await assert.rejects(carryOutAll(endless, { processes: 2, onDone: () => undefined }), /a worker ended with code 1/);
  // The other one may have been in the middle of a piece, which it finishes.
  assert.ok(begun < 100);
});

test("without processes an error is passed on unchanged", async () => {
  await assert.rejects(
    carryOutAll(
      [{ ...piece(1), setting: { scenario: "nowhere", scale: "small", device: "job", network: "" } } as Work],
      {
        processes: 0,
        onDone: () => undefined,
      },
    ),
    /no scenario "nowhere"/,
  );
});
