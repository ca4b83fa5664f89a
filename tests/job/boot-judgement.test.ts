import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIVATIONS_MAX, judgeBoot } from "../../src/job/boot-judgement";
import type { Judgement } from "../../src/job/boot-judgement";
import type { BootFacts, Snapshot } from "../../src/job/effects";
import { JobMemory } from "../../src/job/memory";
import { PART, encodeJob, encodeOutcome, encodeState, identityOf } from "../../src/job/record";
import type { Phase } from "../../src/job/record";
import type { Outcome } from "../../src/job/types";
import type { ResetReason, SlotState } from "../../src/ports";

const record = {
  platform: "tencent",
  slot: "ota_1",
  offer: {
    version: "0.2.0",
    size: 9000,
    url: "http://h/f",
    digest: { algorithm: "MD5" as const, hex: "a".repeat(32) },
  },
};

interface Case {
  readonly phase: Phase;
  readonly runs: "old" | "new";
  readonly state?: SlotState;
  readonly reason?: ResetReason;
  readonly aborted?: boolean;
  readonly trials?: number;
  readonly activations?: number;
  readonly outcome?: Outcome;
  readonly version?: string;
  readonly blamed?: boolean;
  readonly lastFault?: string;
  /** Of the record; default: the one that is not "ota_0". */
  readonly slot?: string;
  readonly platform?: string;
}

function judge(given: Case): Judgement {
  const offer = given.slot === PART ? { ...record.offer, module: "assets", part: "assets" } : record.offer;
  const job = { platform: given.platform ?? record.platform, slot: given.slot ?? record.slot, offer };
  const identity = identityOf(job);
  const stored: Snapshot = {
    job: encodeJob(job),
    offset: undefined,
    head: undefined,
    state: encodeState(identity, {
      phase: given.phase,
      activations: given.activations ?? 1,
      trials: given.trials ?? 0,
      refetched: false,
    }),
    outcome: given.outcome === undefined ? undefined : encodeOutcome(identity, given.outcome),
    refused: undefined,
  };
  const isNew = given.runs === "new";
  const facts: BootFacts = {
    running: {
      slot: isNew ? "ota_1" : "ota_0",
      version: given.version ?? (isNew ? "0.2.0" : "0.1.0"),
      project: "p",
      chip: 0,
      state: given.state ?? "valid",
    },
    target: isNew ? "ota_0" : "ota_1",
    slotSize: 1 << 20,
    resetReason: given.reason ?? "power-on",
    lastInvalid: given.aborted === true ? "ota_1" : undefined,
    lastFault: given.lastFault,
    stored,
  };
  return judgeBoot(JobMemory.restore(stored), facts, "tencent", 2, given.blamed === true);
}

const kind = (given: Case): string => judge(given).kind;

test("old firmware goes on where the job stands", () => {
  assert.equal(kind({ phase: "downloading", runs: "old" }), "resume");
  assert.equal(kind({ phase: "sealing", runs: "old" }), "seal");
});

test("a trial ended by its own fault is rolled back and blamed", () => {
  for (const reason of ["software", "watchdog", "panic", "other"] as const) {
    const verdict = judge({ phase: "trial", runs: "old", reason, aborted: true });
    assert.equal(verdict.kind, "rolled-back");
    assert.equal(verdict.kind === "rolled-back" && verdict.blame, true);
  }
});

test("what the new firmware died of is told, not what another one did", () => {
  const message = (lastFault?: string): string => {
    const verdict = judge({
      phase: "trial",
      runs: "old",
      reason: "software",
      aborted: true,
      ...(lastFault === undefined ? {} : { lastFault }),
    });
    return verdict.kind === "rolled-back" ? verdict.message : verdict.kind;
  };
  assert.equal(
    message("0.2.0: unhandled exception: no pump (software reset)"),
    "firmware 0.2.0 failed in its trial and was rolled back: unhandled exception: no pump (software reset)",
  );
  for (const other of [undefined, "0.1.0: unhandled exception: no pump (software reset)", "watchdog reset"])
    assert.equal(message(other), "firmware 0.2.0 failed in its trial (software reset) and was rolled back");
});

test("a trial cut short by power loss is repeated up to maxAttempts, and nobody is blamed", () => {
  for (const reason of ["power-on", "brown-out"] as const) {
    assert.deepEqual(judge({ phase: "trial", runs: "old", reason, aborted: true, trials: 0 }), {
      kind: "try-again",
      trials: 1,
    });
    const last = judge({ phase: "trial", runs: "old", reason, aborted: true, trials: 1 });
    assert.equal(last.kind === "rolled-back" && !last.blame, true);
  }
});

test("a trial that ended by its own fault stays that, also where the power went before the outcome was stored", () => {
  // Not aborted: another cut, while the bootloader rewrote the entry, has left none.
  for (const aborted of [true, false]) {
    const verdict = judge({ phase: "trial", runs: "old", reason: "power-on", aborted, blamed: true });
    assert.equal(verdict.kind === "rolled-back" && verdict.blame, true);
  }
});

test("a boot choice that left no trace is made again without counting a trial, but not for ever", () => {
  // Whatever the reset: firmware that never started can not have failed.
  for (const reason of ["power-on", "software", "panic"] as const)
    assert.deepEqual(judge({ phase: "trial", runs: "old", reason, aborted: false, trials: 1 }), {
      kind: "try-again",
      trials: 1,
    });
  assert.equal(kind({ phase: "trial", runs: "old", aborted: false, activations: ACTIVATIONS_MAX }), "rolled-back");
});

test("new firmware proves itself, also where the slot boots as VALID without a trial", () => {
  for (const state of ["pending", "valid", "none"] as const) {
    assert.deepEqual(judge({ phase: "trial", runs: "new", state }), { kind: "trial", ofJob: true });
    assert.deepEqual(judge({ phase: "sealing", runs: "new", state }), { kind: "trial", ofJob: true });
  }
  assert.equal(kind({ phase: "confirmed", runs: "new", state: "pending" }), "trial");
});

test("confirmed firmware says done; the old one never does", () => {
  assert.deepEqual(judge({ phase: "confirmed", runs: "new" }), { kind: "report", outcome: { kind: "done" } });
  assert.equal(kind({ phase: "confirmed", runs: "old" }), "drop");
});

test("a stored outcome is reported whatever else holds", () => {
  const outcome = { kind: "fail", cause: "rolled-back", message: "cloud not reached" } as const;
  for (const phase of ["downloading", "sealing", "trial"] as const)
    assert.deepEqual(judge({ phase, runs: "old", outcome }), { kind: "report", outcome });
});

test("new firmware that was given up and runs all the same: a power cut may have undone that, so it goes back once more; after any other reset it says so itself", () => {
  const outcome = { kind: "fail", cause: "rolled-back", message: "cloud not reached" } as const;
  for (const reason of ["power-on", "brown-out"] as const)
    assert.deepEqual(judge({ phase: "trial", runs: "new", state: "undefined", reason, outcome }), {
      kind: "report",
      outcome,
      goBack: true,
    });
  assert.deepEqual(judge({ phase: "trial", runs: "new", state: "undefined", reason: "software", outcome }), {
    kind: "report",
    outcome,
  });
});

test("unconfirmed firmware whose record is dropped has to prove itself all the same", () => {
  assert.deepEqual(judge({ phase: "downloading", runs: "new", state: "pending" }), {
    kind: "drop",
    why: "the running firmware 0.2.0 was installed another way",
    unconfirmed: true,
  });
  assert.deepEqual(judge({ phase: "downloading", runs: "new", state: "valid" }), {
    kind: "drop",
    why: "the running firmware 0.2.0 was installed another way",
    unconfirmed: false,
  });
});

test("a record that does not fit the device is dropped", () => {
  assert.equal(kind({ phase: "downloading", runs: "new" }), "drop");
  assert.equal(kind({ phase: "trial", runs: "new", version: "0.3.0" }), "drop");
  assert.equal(kind({ phase: "downloading", runs: "old", state: "pending" }), "drop");
});

test("a job of another cloud, or for a slot that can not be written, is dropped whatever it has come to", () => {
  for (const phase of ["downloading", "sealing", "trial", "confirmed"] as const) {
    assert.deepEqual(judge({ phase, runs: "old", platform: "thingspanel" }), {
      kind: "drop",
      why: "the job was of platform thingspanel",
    });
    assert.deepEqual(judge({ phase, runs: "old", slot: "ota_2" }), {
      kind: "drop",
      why: "slot ota_2 is not the one to write",
    });
  }
});

test("a module's job does not keep unconfirmed firmware from proving itself", () => {
  for (const phase of ["downloading", "sealing"] as const) {
    assert.deepEqual(judge({ phase, runs: "old", slot: PART, state: "pending" }), { kind: "trial", ofJob: false });
    assert.deepEqual(judge({ phase, runs: "old", slot: PART, state: "new" }), { kind: "trial", ofJob: false });
  }
});

test("a module's job goes on beside confirmed firmware, and never has a trial", () => {
  assert.equal(kind({ phase: "downloading", runs: "old", slot: PART }), "resume");
  assert.equal(kind({ phase: "sealing", runs: "old", slot: PART }), "seal");
  assert.deepEqual(judge({ phase: "trial", runs: "old", slot: PART }), { kind: "drop", why: "a module has no trial" });
});

test("only a failure makes new firmware go back: what was done stays done, cut or not", () => {
  const outcome = { kind: "done" } as const;
  for (const reason of ["power-on", "software"] as const)
    assert.deepEqual(judge({ phase: "confirmed", runs: "new", reason, outcome }), { kind: "report", outcome });
});

test("without a job: unconfirmed firmware is on trial, confirmed firmware idles", () => {
  const stored: Snapshot = {
    job: undefined,
    offset: undefined,
    head: undefined,
    state: undefined,
    outcome: undefined,
    refused: undefined,
  };
  const facts = (state: SlotState): BootFacts => ({
    running: { slot: "ota_0", version: "1", project: "p", chip: 0, state },
    target: "ota_1",
    slotSize: 1,
    resetReason: "power-on",
    lastInvalid: undefined,
    stored,
  });
  assert.deepEqual(judgeBoot(undefined, facts("pending"), "tencent", 2, false), { kind: "trial", ofJob: false });
  assert.deepEqual(judgeBoot(undefined, facts("valid"), "tencent", 2, false), { kind: "idle" });
  assert.deepEqual(judgeBoot(undefined, facts("none"), "tencent", 2, false), { kind: "idle" });
});
