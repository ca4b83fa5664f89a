/** Devices, offers and records for the tests of budgets. */
import { REPEAT_BUDGET } from "../../src/constants";
import { Budgets } from "../../src/job/budgets";
import type { Snapshot } from "../../src/job/records";
import type { JobEffect } from "../../src/job/effects";
import type { Offer } from "../../src/job/types";
import { JobFixture, image, offerOf } from "./job-fixture";

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
export const next = image("0.2.0");
export const offer = offerOf(next, "0.2.0");

export type StoredBudgets = Pick<Snapshot, "budgets" | "awakeSeconds">;

export const NEVER: StoredBudgets = {};
export const storedBy = (effects: readonly JobEffect[]): StoredBudgets => {
  const budgets = effects.find((effect) => effect.type === "put-bytes");
  const awake = effects.find((effect) => effect.type === "put-number");
  return {
    budgets: budgets?.type === "put-bytes" ? budgets.bytes : undefined,
    awakeSeconds: awake?.type === "put-number" ? awake.value : undefined,
  };
};
export const of = (version: string): Offer => offerOf(Buffer.from(version), version);

export function started(from: StoredBudgets, now = 0): Budgets {
  const budgets = new Budgets(from, REPEAT_BUDGET);
  budgets.start(now);
  return budgets;
}

/** Each pushed image goes through its download and starts; nothing in a trial reaches the cloud. */
export function tryOut(fixture: JobFixture, file: Uint8Array, pushed: Offer): void {
  fixture.connect();
  fixture.push(pushed);
  fixture.deliver(file);
  fixture.ack("burning");
  while (fixture.state === "trial") fixture.wait();
  fixture.connect();
  fixture.ack("outcome");
}

/** Times that the board started `version` on trial, so far. */
export function trialsOf(fixture: JobFixture): number {
  return fixture.notices.filter((notice) => notice.event === "state" && notice.state === "trial").length;
}

/** The answer to the latest push. */
export const answer = (fixture: JobFixture): string | undefined => fixture.outcomes.at(-1);

/** Time passes on a device that has nothing to do. */
export function pass(fixture: JobFixture, milliseconds: number): void {
  for (const end = fixture.now + milliseconds; fixture.now < end;) {
    fixture.now = Math.min(end, Math.max(fixture.now, fixture.job.deadline() ?? end));
    fixture.dispatch({ type: "tick" });
  }
}
