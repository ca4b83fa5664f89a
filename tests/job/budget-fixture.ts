/** Devices, offers and records for the tests of budgets. */
import { REPEAT_BUDGET } from "../../src/constants";
import { Budgets } from "../../src/job/budgets";
import type { Snapshot } from "../../src/job/records";
import type { JobEffect } from "../../src/job/effects";
import type { Offer } from "../../src/job/types";
import { JobDesk, image, offerOf } from "./job-desk";

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
export function tryOut(desk: JobDesk, file: Uint8Array, pushed: Offer): void {
  desk.connect();
  desk.push(pushed);
  desk.deliver(file);
  desk.ack("burning");
  while (desk.state === "trial") desk.wait();
  desk.connect();
  desk.ack("outcome");
}

/** Times that the board started `version` on trial, so far. */
export function trialsOf(desk: JobDesk): number {
  return desk.notices.filter((notice) => notice.event === "state" && notice.state === "trial").length;
}

/** The answer to the latest push. */
export const answer = (desk: JobDesk): string | undefined => desk.outcomes.at(-1);

/** Time passes on a device that has nothing to do. */
export function pass(desk: JobDesk, milliseconds: number): void {
  for (const end = desk.now + milliseconds; desk.now < end;) {
    desk.now = Math.min(end, Math.max(desk.now, desk.job.deadline() ?? end));
    desk.dispatch({ type: "tick" });
  }
}
