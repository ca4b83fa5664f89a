/**
 * The fault model: what each fault leaves in the cells, that it is deterministic, and that it has an effect in a
 * scenario.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FlashChip, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import type { FlashOperation } from "../../hal/model-chip/flash-chip";
import type { Case } from "./search/case-line";
import { ChipFaults, FAULT_KINDS, cutsOf, isHardware } from "./simulation/faults";
import type { Fault, FaultKind } from "./simulation/faults";
import type { Point } from "./simulation/boot-cycle";
import { replay } from "./search/search";

const KINDS = Object.keys(FAULT_KINDS) as FaultKind[];
const SECTOR = 2 * SECTOR_SIZE;

/** A chip that holds `before` at SECTOR, connected to the faults as in a boot cycle. */
class Bench {
  readonly chip = FlashChip.inMemory(4 * SECTOR_SIZE);
  readonly faults = new ChipFaults();

  constructor(before: Uint8Array = new Uint8Array(0)) {
    this.chip.program(SECTOR, before);
    this.chip.onRead = (address, bytes) => this.faults.disturb(address, bytes);
    this.chip.onOperation = (operation) => this.faults.performed(operation);
  }

  cells(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.chip.cells.read(SECTOR, bytes);
    return bytes;
  }

  read(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.chip.read(SECTOR, bytes);
    return bytes;
  }
}

const program = (data: Uint8Array): FlashOperation => ({ kind: "program", address: SECTOR, length: data.length, data });
const ERASE: FlashOperation = { kind: "erase", address: SECTOR, length: SECTOR_SIZE };
const pattern = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 37 + seed * 101) & 0xff);
const programmed = (before: Uint8Array, data: Uint8Array): Uint8Array =>
  before.map((byte, index) => byte & data[index]!);
const erased = (length: number): Uint8Array => new Uint8Array(length).fill(0xff);

/** The cells after a cut in an operation on `before`. */
function leftBy(fault: Fault, operation: FlashOperation, before: Uint8Array): Uint8Array {
  const bench = new Bench(before);
  bench.faults.cut(fault, operation, bench.chip.cells);
  return bench.cells(operation.length);
}

/** The number of bits that are set in `a` and not in `b`. */
function bitsOnlyIn(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, byte, index) => sum + ((byte & ~b[index]!).toString(2).match(/1/g)?.length ?? 0), 0);
}

test("cut before: nothing is done; cut after: everything is", () => {
  const before = pattern(32);
  const data = pattern(32, 2);
  assert.deepEqual(leftBy({ kind: "b", value: 0 }, program(data), before), before);
  assert.deepEqual(leftBy({ kind: "a", value: 0 }, program(data), before), programmed(before, data));
  const sector = pattern(SECTOR_SIZE);
  assert.deepEqual(leftBy({ kind: "b", value: 0 }, ERASE, sector), sector);
  assert.deepEqual(leftBy({ kind: "a", value: 0 }, ERASE, sector), erased(SECTOR_SIZE));
});

test("a program torn after n bytes, for every n: the first n are new, the rest is old", () => {
  const before = pattern(32);
  const whole = programmed(before, pattern(32, 2));
  for (let value = 1; value < 32; value++) {
    const left = leftBy({ kind: "p", value }, program(pattern(32, 2)), before);
    assert.deepEqual(left, Uint8Array.of(...whole.subarray(0, value), ...before.subarray(value)));
  }
});

test("a program torn in random bits: some of the bits that it clears are cleared, none is set, no other is touched", () => {
  const before = pattern(256);
  const whole = programmed(before, pattern(256, 2));
  const toClear = bitsOnlyIn(before, whole);
  const shares = new Set<number>();
  for (let value = 0; value < 40; value++) {
    const left = leftBy({ kind: "r", value }, program(pattern(256, 2)), before);
    assert.equal(bitsOnlyIn(left, before), 0, "a bit was set");
    assert.equal(bitsOnlyIn(whole, left), 0, "a bit was cleared that the program leaves");
    const cleared = bitsOnlyIn(before, left);
    assert.ok(cleared > 0 && cleared < toClear);
    shares.add(Math.round((10 * cleared) / toClear));
  }
  assert.ok(
    shares.has(0) && shares.has(5) && shares.has(10),
    `hardly any, half and nearly all of the bits: ${[...shares].join(" ")}`,
  );
});

test("a torn erase: the first bytes old, or the last", () => {
  const before = pattern(SECTOR_SIZE);
  for (const value of [1, 24, 32, 256, 4095]) {
    assert.deepEqual(
      leftBy({ kind: "e", value }, ERASE, before),
      Uint8Array.of(...before.subarray(0, value), ...erased(SECTOR_SIZE - value)),
    );
    assert.deepEqual(
      leftBy({ kind: "f", value }, ERASE, before),
      Uint8Array.of(...erased(value), ...before.subarray(value)),
    );
  }
});

test("an erase torn in random bits: some of the cleared bits are set, none is cleared", () => {
  const before = pattern(SECTOR_SIZE);
  const cleared = bitsOnlyIn(erased(SECTOR_SIZE), before);
  for (let value = 0; value < 20; value++) {
    const left = leftBy({ kind: "m", value }, ERASE, before);
    assert.equal(bitsOnlyIn(before, left), 0, "a bit was cleared");
    const set = bitsOnlyIn(left, before);
    assert.ok(set > 0 && set < cleared);
  }
});

test("NOR rules: whatever the fault and the bytes, a torn program sets no bit and a torn erase clears none", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      fc.constantFrom(..."apruw"),
      fc.nat(0xffffff),
      (data, old, kind, value) => {
        const before = old.subarray(0, data.length);
        const left = leftBy(
          { kind: kind as FaultKind, value: kind === "p" ? value % data.length : value },
          program(data),
          before,
        );
        return bitsOnlyIn(left, before) === 0 && bitsOnlyIn(programmed(before, data), left) === 0;
      },
    ),
    { seed: 1, numRuns: 300 },
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.constantFrom(..."aefmuw"),
      fc.nat(0xffffff),
      (old, kind, value) => {
        const before = Uint8Array.from({ length: SECTOR_SIZE }, (_, index) => old[index % 16]!);
        return (
          bitsOnlyIn(
            before,
            leftBy(
              { kind: kind as FaultKind, value: "ef".includes(kind) ? value % SECTOR_SIZE : value },
              ERASE,
              before,
            ),
          ) === 0
        );
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

/** A bench with unstable bits in a sector whose erase was cut, and the mask of the bits that may be unstable. */
function unstable(kind: "u" | "w", value = 5): { bench: Bench; before: Uint8Array } {
  const before = pattern(SECTOR_SIZE);
  const bench = new Bench(before);
  bench.faults.cut({ kind, value }, ERASE, bench.chip.cells);
  return { bench, before };
}

test("unstable bits read differently from one time to the next, and only those that the operation was changing", () => {
  const { bench, before } = unstable("u");
  assert.equal(bench.faults.noisy, true);
  const reads = Array.from({ length: 4 }, () => bench.read(SECTOR_SIZE));
  assert.ok(
    reads.some((each) => bitsOnlyIn(each, reads[0]!) > 0),
    "no read differs",
  );
  for (const each of reads) assert.equal(bitsOnlyIn(before, each), 0, "a bit wavers that the erase was not changing");
  assert.equal(bench.faults.unstableAt(SECTOR, SECTOR_SIZE), true);
  assert.equal(bench.faults.unstableAt(SECTOR + SECTOR_SIZE, SECTOR_SIZE), false);
});

test("unstable until rewritten: unstable after many starts, stable after a complete erase", () => {
  const { bench } = unstable("u");
  for (let start = 0; start < 5; start++) bench.faults.powerOn(bench.chip.cells);
  assert.ok(
    Array.from({ length: 4 }, () => bench.read(SECTOR_SIZE)).some((each, _, [first]) => bitsOnlyIn(each, first!) > 0),
  );
  bench.chip.erase(SECTOR);
  assert.equal(bench.faults.noisy, false);
  assert.deepEqual(bench.read(SECTOR_SIZE), erased(SECTOR_SIZE));
});

test("unstable until rewritten: a complete program makes the bits stable that it clears, and no others", () => {
  const { bench } = unstable("u");
  const half = new Uint8Array(SECTOR_SIZE).fill(0xff).fill(0, 0, SECTOR_SIZE / 2);
  bench.chip.program(SECTOR, half);
  assert.deepEqual(bench.read(SECTOR_SIZE / 2), new Uint8Array(SECTOR_SIZE / 2));
  assert.equal(bench.faults.unstableAt(SECTOR, SECTOR_SIZE / 2), false);
  assert.equal(bench.faults.unstableAt(SECTOR + SECTOR_SIZE / 2, SECTOR_SIZE / 2), true);
});

test("unstable for one start: unstable in the first, stable at either value from the second on", () => {
  const { bench, before } = unstable("w");
  bench.faults.powerOn(bench.chip.cells);
  assert.equal(bench.faults.noisy, true);
  bench.faults.powerOn(bench.chip.cells);
  assert.equal(bench.faults.noisy, false);
  const settled = bench.read(SECTOR_SIZE);
  assert.deepEqual(settled, bench.cells(SECTOR_SIZE));
  assert.deepEqual(bench.read(SECTOR_SIZE), settled);
  assert.ok(bitsOnlyIn(settled, before) > 0 && bitsOnlyIn(erased(SECTOR_SIZE), settled) > 0);
});

test("a silent no-op leaves the cells unchanged", () => {
  const bench = new Bench(pattern(32));
  bench.chip.onOperation = (operation) => bench.faults.wear({ kind: "n", value: 0 }, operation);
  bench.chip.program(SECTOR, new Uint8Array(32));
  assert.deepEqual(bench.cells(32), pattern(32));
  bench.chip.erase(SECTOR);
  assert.deepEqual(bench.cells(32), pattern(32));
  assert.equal(bench.faults.worn, false);
});

test("a stuck bit keeps its value after every operation: some seeds stick at 0, some at 1", () => {
  const stuckAt = { 0: 0, 1: 0 };
  for (let value = 0; value < 24; value++) {
    const bench = new Bench();
    assert.equal(bench.faults.wear({ kind: "s", value }, ERASE), undefined);
    assert.equal(bench.faults.worn, true);
    bench.chip.cells.erase(SECTOR, SECTOR_SIZE);
    bench.faults.force(bench.chip.cells);
    const low = bitsOnlyIn(erased(SECTOR_SIZE), bench.cells(SECTOR_SIZE));
    bench.chip.cells.set(SECTOR, new Uint8Array(SECTOR_SIZE));
    bench.faults.force(bench.chip.cells);
    const high = bitsOnlyIn(bench.cells(SECTOR_SIZE), new Uint8Array(SECTOR_SIZE));
    assert.equal(low + high, 1, "exactly one bit, one way");
    stuckAt[high === 1 ? 1 : 0]++;
  }
  assert.ok(stuckAt[0] > 3 && stuckAt[1] > 3, JSON.stringify(stuckAt));
});

test("a seed repeats its fault, another seed gives another fault, and a fork has its own noise", () => {
  const before = pattern(256);
  const operation = program(pattern(256, 2));
  for (const kind of ["r", "u", "w"] as const) {
    assert.deepEqual(leftBy({ kind, value: 7 }, operation, before), leftBy({ kind, value: 7 }, operation, before));
    assert.notDeepEqual(leftBy({ kind, value: 7 }, operation, before), leftBy({ kind, value: 8 }, operation, before));
  }
  assert.notDeepEqual(leftBy({ kind: "m", value: 7 }, ERASE, before), leftBy({ kind: "m", value: 8 }, ERASE, before));
  const [first, second] = [unstable("u").bench, unstable("u").bench];
  assert.deepEqual(first.read(SECTOR_SIZE), second.read(SECTOR_SIZE));
  const fork = first.faults.fork();
  const bytes = first.cells(SECTOR_SIZE);
  fork.disturb(SECTOR, bytes);
  assert.deepEqual(bytes, first.read(SECTOR_SIZE), "the fork goes on where the other stood");
  fork.performed(ERASE);
  assert.deepEqual([fork.noisy, first.faults.noisy], [false, true]);
});

test("a small program is torn at every byte, a sector at the wanted number of places and at page edges", () => {
  const density = { positions: 20, subsets: 3, unstable: 2 };
  const counted = (faults: readonly Fault[]): { [kind: string]: number } =>
    faults.reduce<{ [kind: string]: number }>((sum, { kind }) => ({ ...sum, [kind]: (sum[kind] ?? 0) + 1 }), {});
  for (const length of [4, 16, 32, 64]) {
    const faults = cutsOf({ kind: "program", length }, density, 9);
    assert.deepEqual(counted(faults), { b: 1, a: 1, p: length - 1, r: 3, u: 2, w: 2 });
    assert.deepEqual(
      faults.filter(({ kind }) => kind === "p").map(({ value }) => value),
      Array.from({ length: length - 1 }, (_, index) => index + 1),
    );
  }
  const sector = cutsOf({ kind: "program", length: 4096 }, density, 9)
    .filter(({ kind }) => kind === "p")
    .map(({ value }) => value);
  for (const edge of [1, 4, 15, 16, 17, 255, 256, 257, 4095]) assert.ok(sector.includes(edge), `torn at ${edge}`);
  assert.ok(sector.length >= 20 && sector.every((value) => value > 0 && value < 4096));
  const { e, f, ...rest } = counted(cutsOf({ kind: "erase", length: 4096 }, density, 9));
  assert.deepEqual(rest, { b: 1, a: 1, m: 3, u: 2, w: 2 });
  assert.equal(e, f);
  assert.ok(e! >= 20);
});

test("the cuts of a place are deterministic; those of another place have other seeds", () => {
  const density = { positions: 2, subsets: 2, unstable: 1 };
  const seeds = (salt: number): number[] =>
    cutsOf({ kind: "program", length: 32 }, density, salt)
      .filter(({ kind }) => "ruw".includes(kind))
      .map(({ value }) => value);
  assert.deepEqual(seeds(3), seeds(3));
  assert.equal(new Set([...seeds(3), ...seeds(4), ...seeds(5)]).size, 12);
});

/** The first point of a scenario with a property, and the trace of the scenario. */
function traced(which: Case): {
  readonly points: readonly Point[];
  readonly text: string;
  readonly result: ReturnType<typeof replay>;
} {
  const points: Point[] = [];
  const result = replay(which, (point) => void points.push(point));
  return {
    points,
    result,
    text: points
      .map(
        ({ number, phase, message, operation }) =>
          `${number} ${phase} ${message ?? `${operation!.kind} ${operation!.address}`}`,
      )
      .join("\n"),
  };
}

const GOOD: Case = { scenario: "good", scale: "small", device: "job", network: "", cuts: [] };

for (const kind of KINDS) {
  test(`in a scenario: ${FAULT_KINDS[kind]} (${kind}) takes place, changes what happens and loses nothing`, () => {
    const calm = traced(GOOD);
    const erases = "efm".includes(kind);
    const wanted = ({ operation }: Point): boolean =>
      operation?.kind === (erases ? "erase" : "program") && operation.address >= 0x31000 && operation.length === 4096;
    const { number } = calm.points.find(wanted)!;
    // The stuck bit: a seed for which it changes what is stored there.
    const values =
      kind === "s"
        ? Array.from({ length: 12 }, (_, index) => index + 1)
        : [kind === "p" || kind === "e" || kind === "f" ? 700 : "ba".includes(kind) || kind === "n" ? 0 : 77];
    const cases = values.map((value) => traced({ ...GOOD, cuts: [{ at: number, fault: { kind, value } }] }));
    for (const { result } of cases) {
      assert.equal(result.fired, 1);
      assert.equal(result.point?.number, number);
      assert.deepEqual(result.simulation.ledger.violations, []);
      assert.equal(result.simulation.ledger.cuts, isHardware({ kind, value: 0 }) ? 0 : 1);
      assert.equal(result.simulation.ledger.worn, isHardware({ kind, value: 0 }) ? "slot" : "nowhere");
    }
    assert.ok(
      cases.some(({ text }) => text !== calm.text),
      "the scenario is another one",
    );
    // A power cut begins another boot cycle; a hardware fault does not.
    assert.equal(cases[0]!.points.filter((point) => point.number === 0).length, isHardware({ kind, value: 0 }) ? 1 : 2);
  });
}
