/**
 * What the job does about each event, in which order: whole scenarios as they are written down in effects/. The order
 * is what makes a power cut harmless, so a change of it wants a look. UPDATE_EFFECTS=1 writes the files anew.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Case } from "../powercut/search/case-line";
import { JobDevice } from "../powercut/simulation/job-device";
import type { Point } from "../powercut/simulation/boot-cycle";
import { replay } from "../powercut/search/search";
import { SCENARIO_NAMES } from "../powercut/simulation/scenarios";
import type { JobEffect, JobEvent } from "../../src/job/effects";
import { toHex } from "../../src/util/hex";

const FOLDER = new URL("effects/", import.meta.url);
/** Scenarios with a cut in the middle of each chapter. */
const WITH_CUTS = [
  "good",
  "alone",
  "throws",
  "unhealthy",
  "offline",
  "mismatch",
  "supersede",
  "panel",
  "panel1",
  "same",
  "waits",
];

for (const scenario of SCENARIO_NAMES) {
  test(`order of effects: ${scenario}`, () => {
    const text = [...livesOf(scenario)].join("\n");
    const file = new URL(`${scenario}.txt`, FOLDER);
    if (process.env["UPDATE_EFFECTS"] === "1") {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(file, text);
    }
    assert.equal(text, readFileSync(file, "utf8"));
  });
}

function* livesOf(scenario: string): Generator<string> {
  const whole: Case = { scenario, scale: "small", device: "job", network: "", cuts: [] };
  const chapters = new Map<string, number[]>();
  yield* linesOf(whole, ({ phase, number }) => void chapters.set(phase, [...(chapters.get(phase) ?? []), number]));
  if (!WITH_CUTS.includes(scenario)) return;
  for (const [phase, points] of chapters) {
    const number = points[points.length >> 1]!;
    yield "";
    yield `the power goes in ${phase}`;
    yield* linesOf({ ...whole, cuts: [{ at: number, fault: { kind: "b", value: 0 } }] });
  }
}

/** Of a cycle that is cut, what comes after the cut. */
function linesOf(which: Case, visit?: (point: Point) => void): string[] {
  const lines: string[] = [];
  const [cut] = which.cuts;
  let over = cut === undefined;
  const see = (point: Point): void => {
    visit?.(point);
    if (!over && point.number === cut?.at) {
      over = true;
      lines.length = 0;
    }
  };
  const { simulation } = replay(which, see, () => (surroundings) => {
    lines.push("start");
    return new JobDevice(surroundings, (event, effects) => {
      // What nothing comes of is shown by what comes next.
      if (effects.length > 0 || event.type === "offer")
        lines.push(`  ${eventText(event)}`, ...effects.map((effect) => `    ${effectText(effect)}`));
    });
  });
  assert.deepEqual(simulation.ledger.violations, []);
  return lines;
}

function eventText(event: JobEvent): string {
  switch (event.type) {
    case "offer":
      return `offer ${event.offer.version}`;
    case "link":
      return `link ${event.up ? "up" : "down"}`;
    case "acked":
      return `acked ${event.token}`;
    case "sector":
      return `sector 0x${event.offset.toString(16)}`;
    case "compared":
      return `compared ${event.equal ? "equal" : "not equal"}`;
    case "health":
      return `health ${event.ok ? "good" : "bad"}`;
    case "effect-failed":
      return `effect-failed ${event.effect}: ${event.message}`;
    default:
      return event.type;
  }
}

function effectText(effect: JobEffect): string {
  switch (effect.type) {
    case "put-number":
      return `put ${effect.key} ${effect.value.toString(16)}`;
    case "put-bytes":
      return `put ${effect.key} ${toHex(effect.bytes.subarray(-4))}, ${effect.bytes.length} bytes`;
    case "delete":
      return `delete ${effect.key}`;
    case "erase":
      return `erase sector ${effect.sector}`;
    case "write":
    case "compare":
      return `${effect.type} 0x${effect.offset.toString(16)}, ${effect.bytes.length} bytes`;
    case "read":
      return `read ${effect.from} 0x${effect.offset.toString(16)}, ${effect.length} bytes`;
    case "download":
      return `download from 0x${effect.offset.toString(16)}, size ${effect.size}`;
    case "reboot":
      return `reboot ${effect.slot}`;
    case "ask":
      return `ask ${effect.question}`;
    case "report":
      return `report ${JSON.stringify({ ...effect.report, ...("task" in effect.report ? { task: effect.report.task.version } : {}) })}${effect.token === undefined ? "" : `, token ${effect.token}`}`;
    case "notify":
      return `notify ${JSON.stringify(effect.notice)}`;
    default:
      return effect.type;
  }
}
