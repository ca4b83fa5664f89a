/** Each network fault takes place in a scenario of the whole agent, is counted, has an effect, and breaks no check. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NETWORK_FAULTS, parseNetworkFault } from "./simulation/network-faults";
import type { NetworkFaultKind } from "./simulation/network-faults";
import type { Case, Cut } from "./search/case-line";
import { NETWORK } from "./search/plans";
import { replay } from "./search/search";
import type { Scale } from "./simulation/scenarios";

interface Seen {
  /** Counts of messages by their text; "erase": erased sectors of the slot. */
  readonly count: { readonly [message: string]: number };
  readonly requests: number;
  readonly faults: number;
  readonly changed: boolean;
  /** Virtual time at the end, ms. */
  readonly now: number;
}

function runCase(network: string, scale: Scale = "small", cuts: readonly Cut[] = []): Seen {
  const count: { [message: string]: number } = {};
  const which: Case = { scenario: "good", scale, device: "agent", network, cuts };
  const { fired, simulation } = replay(which, ({ message, operation }) => {
    const what = message ?? (operation!.address >= 0x30000 ? operation!.kind : "record");
    count[what] = (count[what] ?? 0) + 1;
  });
  assert.equal(fired, cuts.length);
  assert.deepEqual(simulation.ledger.violations, [], network);
  return {
    count,
    requests: simulation.network.requests,
    faults: simulation.ledger.networkFaults,
    changed: simulation.network.changed,
    now: simulation.now,
  };
}

const calm = runCase("");
const more = (seen: Seen, message: string): number => (seen.count[message] ?? 0) - (calm.count[message] ?? 0);

/** One fault of each kind: how often it takes place, and its effect. */
const EACH: {
  readonly [kind in NetworkFaultKind]: { readonly fault: string; readonly times: number; felt(seen: Seen): boolean };
} = {
  reset: { fault: "reset1x5000", times: 1, felt: (seen) => seen.requests > calm.requests && more(seen, "erase") === 0 },
  stall: {
    fault: "stall1x5000",
    times: 1,
    felt: (seen) => seen.requests > calm.requests && seen.now >= calm.now + 15_000 && more(seen, "erase") === 0,
  },
  whole: { fault: "whole1", times: 1, felt: (seen) => seen.requests === calm.requests },
  changed: { fault: "changed1", times: 2, felt: (seen) => seen.changed && more(seen, "outcome report") > 0 },
  expired: {
    fault: "expired1",
    times: 2,
    felt: (seen) =>
      more(seen, "version report") === 1 && more(seen, "offer of 0.2.0") === 1 && seen.requests > calm.requests,
  },
  busy: {
    fault: "busy1",
    times: 1,
    felt: (seen) => seen.requests > calm.requests && more(seen, "version report") === 0,
  },
  twice: { fault: "twice1", times: 1, felt: (seen) => more(seen, "offer of 0.2.0") === 1 && more(seen, "erase") === 0 },
  lost: {
    fault: "lost3",
    times: 1,
    felt: (seen) => more(seen, "SUBACK") === 1 && more(seen, "progress report") === -1,
  },
  unacked: {
    fault: "unacked1",
    times: 1,
    felt: (seen) =>
      more(seen, "SUBACK") === 1 && more(seen, "version report") === 1 && more(seen, "PUBACK of version") === 0,
  },
  down: { fault: "down1", times: 1, felt: (seen) => more(seen, "SUBACK") === 1 && more(seen, "offer of 0.2.0") < 0 },
};

test("every kind of network fault is tried here and by the search of npm test", () => {
  const kinds = Object.keys(NETWORK_FAULTS);
  assert.deepEqual(Object.keys(EACH).sort(), kinds.toSorted());
  for (const [kind, { fault }] of Object.entries(EACH)) assert.equal(parseNetworkFault(fault)?.kind, kind);
  assert.deepEqual([...new Set(NETWORK.map((fault) => parseNetworkFault(fault)!.kind))].sort(), kinds.toSorted());
});

test("without a network fault nothing is counted", () => {
  assert.equal(calm.faults, 0);
  assert.equal(calm.count["outcome report"], 1);
});

for (const [kind, about] of Object.entries(NETWORK_FAULTS) as [NetworkFaultKind, string][]) {
  test(`${kind}: ${about}`, () => {
    const { fault, times, felt } = EACH[kind];
    const seen = runCase(fault);
    assert.equal(seen.faults, times);
    assert.ok(felt(seen), JSON.stringify({ calm, seen }));
  });
}

test("an outcome whose PUBACK is lost is reported again, unchanged", () => {
  const last =
    calm.count["version report"]! +
    calm.count["progress report"]! +
    calm.count["burning report"]! +
    calm.count["outcome report"]!;
  const faults = Array.from({ length: last }, (_, index) => runCase(`unacked${index + 1}`));
  assert.ok(faults.some((seen) => seen.faults === 1 && more(seen, "outcome report") === 1));
});

test("requests are counted over all cuts: a fault after the end of the first boot cycle takes place in the second", () => {
  assert.equal(runCase("reset2x100").faults, 0, "the scenario without a cut needs one request");
  let at: number | undefined;
  replay(
    { scenario: "good", scale: "small", device: "agent", network: "", cuts: [] },
    ({ number, operation }) => void (at ??= operation?.address === 0x31000 ? number : undefined),
  );
  const seen = runCase("reset2x100", "small", [{ at: at!, fault: { kind: "b", value: 0 } }]);
  assert.equal(seen.faults, 1);
});

test("a fault in a later request of a larger file takes place", () => {
  const seen = runCase("reset3x5000", "whole");
  assert.equal(seen.faults, 1);
  assert.ok(seen.requests >= 6);
});

test("a text that names no network fault is refused with one line that names the kinds", () => {
  assert.equal(parseNetworkFault(""), undefined);
  assert.deepEqual(parseNetworkFault("stall2x4096"), { kind: "stall", n: 2, m: 4096 });
  for (const text of ["reset", "reset2x", "reset12345", "resetx2", "storm1", "Reset1", "reset1x1234567", "toString1"]) {
    assert.throws(
      () => parseNetworkFault(text),
      (error: Error) =>
        error.message.includes(JSON.stringify(text)) &&
        /reset, stall, whole/.test(error.message) &&
        !error.message.includes("\n"),
    );
  }
});
