/**
 * Outages of the cloud begun at each phase of an update: a good image is confirmed in the end, without a second download
 * and without a fail in between; a bad one ends in a fail.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { IMAGES, KINDS, PARTS, PHASES, runOutage } from "./outage-run";
import type { OutageCase, OutageResult } from "./outage-run";

/** All cases in the long tests; a sample otherwise. */
const WHOLE = process.env["XS_OTA_OUTAGES"] === "all";
const MINUTES = [1, 4, 30];
const SEEDS = WHOLE ? [1, 2, 3, 4, 5] : [1];

/** Bytes that a break may cost: one sector and the prefetch. */
const PER_BREAK = 4_096 + 16_384;

function* cases(): Generator<OutageCase> {
  for (const minutes of MINUTES)
    for (const phase of PHASES)
      for (const kind of KINDS)
        for (const away of PARTS)
          for (const image of IMAGES)
            for (const seed of SEEDS) {
              const each = { minutes, phase, kind, away, image, seed };
              if (WHOLE || isSampled(each)) yield each;
            }
}

/** Good images everywhere, the rest where it costs little. */
const isSampled = ({ image, away, kind, minutes }: OutageCase): boolean =>
  image === "good" ? away === "broker" || minutes === 4 : kind === "refused" && away === "broker" && minutes === 4;

const named = (each: OutageCase): string => JSON.stringify(each);

function check(each: OutageCase, result: OutageResult): void {
  const good = each.image === "good";
  const about = `${named(each)}: ${JSON.stringify(result)}`;
  assert.deepEqual([result.outcome, result.version], good ? ["done", "0.2.0"] : ["fail", "0.1.0"], about);
  assert.equal(new Set(result.outcomes).size, 1, about);
  if (!good) return;
  assert.ok(result.promised <= result.size + 2 * PER_BREAK, `a second download: ${about}`);
  assert.equal(result.needless, 0, `a rollback though the cloud was there: ${about}`);
  if (each.minutes < 2) assert.equal(result.rollbacks, 0, `a rollback in a short outage: ${about}`);
}

test("outages of 1, 4 and 30 minutes begun at each phase", (t) => {
  let runs = 0;
  let rollbacks = 0;
  let longest = 0;
  const missed = new Map<string, boolean>();
  for (const each of cases()) {
    const result = runOutage(each);
    check(each, result);
    runs++;
    if (each.image === "good") {
      rollbacks += result.rollbacks;
      longest = Math.max(longest, result.minutes - each.minutes);
      missed.set(each.phase, (missed.get(each.phase) ?? true) && !result.began);
    }
  }
  for (const [phase, never] of missed) assert.equal(never, false, `no outage began at: ${phase}`);
  t.diagnostic(
    `${runs} runs; ${rollbacks} rollbacks of good images in outages that outlasted the trial; confirmed at most ${longest.toFixed(1)} min after the cloud was back`,
  );
});
