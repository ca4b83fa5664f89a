import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { RateEstimate } from "../../src/download/rate-estimate";

/** Payload of a full segment: no prefetch window is smaller. */
const SEGMENT = 1_460;

test("a new connection is not fast and has the smallest prefetch window", () => {
  const rate = new RateEstimate();
  assert.equal(rate.fast, false);
  assert.equal(rate.prefetchBytes, SEGMENT);
  rate.asked(0);
  rate.headSeen(100);
  assert.equal(rate.prefetchBytes, SEGMENT);
});

test("the prefetch window holds what arrives while a response begins, and a margin", () => {
  const rate = new RateEstimate();
  rate.asked(1_000);
  rate.headSeen(1_100);
  rate.sectorDone(1_300);
  assert.equal(rate.prefetchBytes, (100 / 200) * 1.25 * SECTOR + SEGMENT);
  assert.equal(rate.fast, false);
});

test("the gap before a response, which lengthens one sector in two, does not count as a slow link", () => {
  const rate = new RateEstimate();
  rate.asked(0);
  rate.headSeen(100);
  rate.sectorDone(300);
  rate.sectorDone(1_300);
  assert.equal(rate.prefetchBytes, (100 / 200) * 1.25 * SECTOR + SEGMENT);
  rate.sectorDone(2_300);
  assert.equal(rate.prefetchBytes, (100 / 1_000) * 1.25 * SECTOR + SEGMENT);
});

test("the last sector decides whether a link is fast; a new connection starts afresh", () => {
  const rate = new RateEstimate();
  rate.asked(0);
  rate.headSeen(10);
  rate.sectorDone(135);
  assert.equal(rate.fast, true);
  rate.sectorDone(261);
  assert.equal(rate.fast, false);
  rate.sectorDone(261);
  assert.equal(rate.fast, true);
  rate.reset();
  assert.equal(rate.fast, false);
  assert.equal(rate.prefetchBytes, SEGMENT);
});

test("only the first response of a connection gives the latency: later ones queue behind each other", () => {
  const rate = new RateEstimate();
  rate.asked(0);
  rate.headSeen(100);
  rate.asked(150);
  rate.headSeen(900);
  rate.sectorDone(1_100);
  assert.equal(rate.prefetchBytes, (100 / 1_000) * 1.25 * SECTOR + SEGMENT);
});
