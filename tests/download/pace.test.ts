import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { Pace } from "../../src/download/pace";

/** What a full segment brings: the lead is never less. */
const SEGMENT = 1_460;

test("nothing is known of a new connection: not fast, the least lead", () => {
  const pace = new Pace();
  assert.equal(pace.fast, false);
  assert.equal(pace.lead, SEGMENT);
  pace.asked(0);
  pace.headSeen(100);
  assert.equal(pace.lead, SEGMENT);
});

test("the lead is what arrives while an answer begins, and a margin", () => {
  const pace = new Pace();
  pace.asked(1_000);
  pace.headSeen(1_100);
  pace.sectorDone(1_300);
  assert.equal(pace.lead, (100 / 200) * 1.25 * SECTOR + SEGMENT);
  assert.equal(pace.fast, false);
});

test("the gap before an answer, which lengthens one sector in two, is not taken for a slow line", () => {
  const pace = new Pace();
  pace.asked(0);
  pace.headSeen(100);
  pace.sectorDone(300);
  pace.sectorDone(1_300);
  assert.equal(pace.lead, (100 / 200) * 1.25 * SECTOR + SEGMENT);
  pace.sectorDone(2_300);
  assert.equal(pace.lead, (100 / 1_000) * 1.25 * SECTOR + SEGMENT);
});

test("a line is fast or not by its last sector, and all is forgotten with the connection", () => {
  const pace = new Pace();
  pace.asked(0);
  pace.headSeen(10);
  pace.sectorDone(135);
  assert.equal(pace.fast, true);
  pace.sectorDone(261);
  assert.equal(pace.fast, false);
  pace.sectorDone(261);
  assert.equal(pace.fast, true);
  pace.reset();
  assert.equal(pace.fast, false);
  assert.equal(pace.lead, SEGMENT);
});

test("only the first answer of a connection tells the latency: later ones wait behind each other", () => {
  const pace = new Pace();
  pace.asked(0);
  pace.headSeen(100);
  pace.asked(150);
  pace.headSeen(900);
  pace.sectorDone(1_100);
  assert.equal(pace.lead, (100 / 1_000) * 1.25 * SECTOR + SEGMENT);
});
