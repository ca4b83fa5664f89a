/**
 * The chip's sockets between two tasks, under ThreadSanitizer and under AddressSanitizer (stress.c says what happens to
 * them). A compiler without sanitizers is a failure that says what to install.
 *
 *     node --import tsx --test tests/esp32/tcp/stress.test.ts                              a sample
 *     XS_OTA_SEGMENTS=1000000 node --import tsx --test tests/esp32/tcp/stress.test.ts      all of it: two minutes
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildStress, toolchain } from "./compile";
import type { Mutation } from "./compile";

const SEGMENTS = Number(process.env["XS_OTA_SEGMENTS"] ?? 50_000);
/** Segments within which each mutation has been noticed; the first ones are enough. */
const MUTATED = 50_000;

/** What each of the ring's four orders, and each hand-over, is there for. */
const MUTATIONS: Readonly<Record<string, Mutation & { readonly found: RegExp }>> = {
  "bytes are published without release": {
    file: "ring.h",
    from: "ringAfter(ring, head, count), memory_order_release",
    to: "ringAfter(ring, head, count), memory_order_relaxed",
    found: /data race/,
  },
  "bytes are looked for without acquire": {
    file: "ring.h",
    from: "&ring->head, memory_order_acquire",
    to: "&ring->head, memory_order_relaxed",
    found: /data race/,
  },
  "room is given back without release": {
    file: "ring.h",
    from: "ringAfter(ring, tail, count), memory_order_release",
    to: "ringAfter(ring, tail, count), memory_order_relaxed",
    found: /data race/,
  },
  "room is looked for without acquire": {
    file: "ring.h",
    from: "&ring->tail, memory_order_acquire",
    to: "&ring->tail, memory_order_relaxed",
    found: /data race/,
  },
  "more than the window is taken": {
    file: "tcp_connection.c",
    from: "if (ringRoom(ring) < chain->tot_len)",
    to: "if (ringRoom(ring) > TCP_WND)",
    found: /data race|byte \d+ of \d+ received|bytes before the end/,
  },
  "lwIP keeps its callbacks after a close": {
    file: "tcp_connection.c",
    from: "tcp_recv(pcb, NULL);",
    to: "",
    found: /null pointer|heap-use-after-free/,
  },
};

const folder = mkdtempSync(join(tmpdir(), "xs-ota-stress-"));
after(() => rmSync(folder, { recursive: true }));
const cc = toolchain(folder);

interface Run {
  readonly status: number | null;
  readonly output: string;
}

/**
 * ThreadSanitizer of GCC 12 does not cope with the address space of some kernels unless it is laid out without chance.
 * Not every container allows that.
 */
const fixed = spawnSync("setarch", ["-R", "true"]).status === 0 ? ["setarch", "-R"] : [];

function run(program: string, segments: number, seed: number): Run {
  const [command = program, ...args] = [...fixed, program, String(segments), String(seed)];
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, TSAN_OPTIONS: "halt_on_error=1", ASAN_OPTIONS: "detect_leaks=1" },
    maxBuffer: 1 << 26,
  });
  return { status, output: stdout + stderr };
}

for (const sanitizer of ["thread", "address,undefined"] as const)
  test(`${SEGMENTS} segments under -fsanitize=${sanitizer}: every byte compared, nothing left, every fault met`, (context) => {
    const { status, output } = run(buildStress(cc, folder, sanitizer), SEGMENTS, 1);
    assert.equal(status, 0, output);
    const result = JSON.parse(output) as { segments: number; faults: Record<string, number> };
    assert.ok(result.segments >= SEGMENTS, output);
    for (const [fault, count] of Object.entries(result.faults)) assert.ok(count > 0, `${fault} never failed`);
    context.diagnostic(output.trim());
  });

for (const [title, { found, ...mutation }] of Object.entries(MUTATIONS))
  test(`noticed: ${title}`, () => {
    const sanitizer = mutation.to === "" ? "address,undefined" : "thread";
    const { status, output } = run(buildStress(cc, folder, sanitizer, mutation), MUTATED, 1);
    assert.notEqual(status, 0);
    assert.match(output, found);
  });
