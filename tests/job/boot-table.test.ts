import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIVATIONS_MAX, BOOT_TABLE, decideBoot } from "../../src/job/boot-table";
import type { BootCase, BootRow, Decision } from "../../src/job/boot-table";
import type { BootFacts } from "../../src/job/effects";
import { NOT_ON_TRIAL } from "../../hal/model-chip/start-up";
import type { Snapshot } from "../../src/job/records";
import { StoredJob } from "../../src/job/stored-job";
import { COMPONENT_SLOT, encodeJob, encodeOutcome, encodePhase, identityOf } from "../../src/job/job-codecs";
import type { Phase } from "../../src/job/job-codecs";
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
  readonly started?: boolean;
  readonly aborted?: boolean;
  readonly trials?: number;
  readonly activations?: number;
  readonly outcome?: Outcome;
  readonly version?: string;
  readonly denied?: boolean;
  readonly lastFault?: string;
  /** Of the record; default: the one that is not "ota_0". */
  readonly slot?: string;
  readonly platform?: string;
}

function judge(given: Case): Decision {
  const offer =
    given.slot === COMPONENT_SLOT ? { ...record.offer, module: "assets", component: "assets" } : record.offer;
  const job = { platform: given.platform ?? record.platform, slot: given.slot ?? record.slot, offer };
  const identity = identityOf(job);
  const stored: Snapshot = {
    job: encodeJob(job),
    phase: encodePhase(identity, {
      phase: given.phase,
      activations: given.activations ?? 1,
      trials: given.trials ?? 0,
      refetched: false,
    }),
    outcome: given.outcome === undefined ? undefined : encodeOutcome(identity, given.outcome),
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
    blockSectors: 16,
    resetReason: given.reason ?? "power-on",
    startUp: NOT_ON_TRIAL,
    targetStarted: given.started,
    lastInvalid: given.aborted === true ? "ota_1" : undefined,
    lastFault: given.lastFault,
    stored,
  };
  return decideBoot(StoredJob.restore(stored), facts, "tencent", 2, given.denied === true);
}

const kind = (given: Case): string => judge(given).verdict;

test("old firmware goes on where the job stands", () => {
  assert.equal(kind({ phase: "downloading", runs: "old" }), "resume");
  assert.equal(kind({ phase: "committing", runs: "old" }), "commit");
});

test("a trial ended by its own fault is rolled back and denied", () => {
  for (const reason of ["software", "watchdog", "panic", "other"] as const) {
    const verdict = judge({ phase: "trial", runs: "old", reason, aborted: true });
    assert.equal(verdict.verdict, "rolled back, deny");
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
    return verdict.verdict === "rolled back, deny" ? verdict.text : verdict.verdict;
  };
  assert.equal(
    message("0.2.0: unhandled exception: no pump (software reset)"),
    "trial: unhandled exception: no pump (software reset)",
  );
  assert.equal(
    message("the new firmware did not come to powerOn (watchdog reset)"),
    "trial: the new firmware did not come to powerOn (watchdog reset)",
  );
  for (const other of [undefined, "0.1.0: unhandled exception: no pump (software reset)", "watchdog reset"])
    assert.equal(message(other), "firmware 0.2.0 failed in its trial (software reset) and was rolled back");
});

test("a trial cut short by power loss is repeated up to maxAttempts, and nobody is denied", () => {
  for (const reason of ["power-on", "brown-out"] as const) {
    assert.deepEqual(judge({ phase: "trial", runs: "old", reason, aborted: true, trials: 0 }), {
      verdict: "try again",
      text: "",
      trials: 1,
    });
    const last = judge({ phase: "trial", runs: "old", reason, aborted: true, trials: 1 });
    assert.deepEqual(last, { verdict: "rolled back", text: "trial cut short by power loss 2 times", trials: 2 });
  }
});

test("a trial that ended by its own fault stays that, also where the power went before the outcome was stored", () => {
  // Not aborted: another cut, while the bootloader rewrote the entry, has left none.
  for (const aborted of [true, false]) {
    const verdict = judge({ phase: "trial", runs: "old", reason: "power-on", aborted, denied: true });
    assert.equal(verdict.verdict, "rolled back, deny");
  }
});

test("a cut before the new code ran is an activation and no trial, whatever the reset; not for ever", () => {
  for (const reason of ["power-on", "software", "watchdog", "deep-sleep"] as const) {
    const cut = { phase: "trial", runs: "old", reason, aborted: true, started: false } as const;
    assert.deepEqual(judge({ ...cut, trials: 1 }), { verdict: "try again", text: "", trials: 1 });
    assert.deepEqual(judge({ ...cut, activations: ACTIVATIONS_MAX }), {
      verdict: "rolled back",
      text: `firmware 0.2.0 did not start in ${ACTIVATIONS_MAX} tries`,
      trials: 0,
    });
  }
});

test("firmware that slept before it was confirmed is rolled back, and nobody is denied", () => {
  for (const started of [true, undefined])
    assert.deepEqual(
      judge({
        phase: "trial",
        runs: "old",
        reason: "deep-sleep",
        aborted: true,
        ...(started === undefined ? {} : { started }),
      }),
      { verdict: "rolled back", text: "firmware 0.2.0 slept before it was confirmed", trials: 1 },
    );
});

test("a boot choice that left no trace is made again without counting a trial, but not for ever", () => {
  // Whatever the reset: firmware that never started can not have failed.
  for (const reason of ["power-on", "software", "panic"] as const)
    assert.deepEqual(judge({ phase: "trial", runs: "old", reason, aborted: false, trials: 1 }), {
      verdict: "try again",
      text: "",
      trials: 1,
    });
  assert.equal(kind({ phase: "trial", runs: "old", aborted: false, activations: ACTIVATIONS_MAX }), "rolled back");
});

test("new firmware proves itself, also where the slot boots as VALID without a trial", () => {
  for (const state of ["pending", "new", "undefined", "valid", "none"] as const) {
    assert.equal(kind({ phase: "trial", runs: "new", state }), "trial");
    assert.equal(kind({ phase: "committing", runs: "new", state }), "trial");
  }
  assert.equal(kind({ phase: "confirmed", runs: "new", state: "pending" }), "trial");
});

test("confirmed firmware says done; the old one never does", () => {
  assert.equal(kind({ phase: "confirmed", runs: "new" }), "report");
  assert.equal(kind({ phase: "confirmed", runs: "old" }), "drop");
});

test("a stored outcome is reported whatever else holds", () => {
  const outcome = { kind: "fail", cause: "rolled-back", message: "cloud not reached" } as const;
  for (const phase of ["downloading", "committing", "trial"] as const)
    assert.equal(kind({ phase, runs: "old", outcome }), "report");
});

test("new firmware that was given up and runs all the same: a power cut may have undone that, so it goes back once more; after any other reset it says so itself", () => {
  const outcome = { kind: "fail", cause: "rolled-back", message: "cloud not reached" } as const;
  for (const reason of ["power-on", "brown-out"] as const)
    assert.equal(kind({ phase: "trial", runs: "new", state: "undefined", reason, outcome }), "roll back");
  assert.equal(kind({ phase: "trial", runs: "new", state: "undefined", reason: "software", outcome }), "report");
});

test("unconfirmed firmware whose record is dropped has to prove itself all the same", () => {
  assert.deepEqual(judge({ phase: "downloading", runs: "new", state: "pending" }), {
    verdict: "drop, trial without job",
    text: "the running firmware 0.2.0 was installed another way",
    trials: 0,
  });
  assert.deepEqual(judge({ phase: "downloading", runs: "new", state: "valid" }), {
    verdict: "drop",
    text: "the running firmware 0.2.0 was installed another way",
    trials: 0,
  });
});

test("a record that does not fit the device is dropped", () => {
  assert.equal(kind({ phase: "downloading", runs: "new" }), "drop");
  assert.equal(kind({ phase: "trial", runs: "new", version: "0.3.0" }), "drop");
  assert.equal(kind({ phase: "downloading", runs: "old", state: "pending" }), "drop, trial without job");
});

test("a job of another cloud, or for a slot that can not be written, is dropped whatever it has come to", () => {
  for (const phase of ["downloading", "committing", "trial", "confirmed"] as const) {
    assert.deepEqual(judge({ phase, runs: "old", platform: "thingspanel" }), {
      verdict: "drop",
      text: "the job was of platform thingspanel",
      trials: 0,
    });
    assert.deepEqual(judge({ phase, runs: "old", slot: "ota_2" }), {
      verdict: "drop",
      text: "slot ota_2 is not the one to write",
      trials: 0,
    });
  }
});

test("a module's job does not keep unconfirmed firmware from proving itself", () => {
  for (const phase of ["downloading", "committing"] as const) {
    assert.equal(kind({ phase, runs: "old", slot: COMPONENT_SLOT, state: "pending" }), "trial without job");
    assert.equal(kind({ phase, runs: "old", slot: COMPONENT_SLOT, state: "new" }), "trial without job");
  }
});

test("a module's job goes on beside confirmed firmware, and never has a trial", () => {
  assert.equal(kind({ phase: "downloading", runs: "old", slot: COMPONENT_SLOT }), "resume");
  assert.equal(kind({ phase: "committing", runs: "old", slot: COMPONENT_SLOT }), "commit");
  assert.deepEqual(judge({ phase: "trial", runs: "old", slot: COMPONENT_SLOT }), {
    verdict: "drop",
    text: "a module has no trial",
    trials: 0,
  });
});

test("only a failure makes new firmware go back: what was done stays done, cut or not", () => {
  const outcome = { kind: "done" } as const;
  for (const reason of ["power-on", "software"] as const)
    assert.equal(kind({ phase: "confirmed", runs: "new", reason, outcome }), "report");
});

test("without a job: unconfirmed firmware is on trial, confirmed firmware idles", () => {
  const stored: Snapshot = {};
  const facts = (state: SlotState): BootFacts => ({
    running: { slot: "ota_0", version: "1", project: "p", chip: 0, state },
    target: "ota_1",
    slotSize: 1,
    blockSectors: 16,
    resetReason: "power-on",
    startUp: NOT_ON_TRIAL,
    targetStarted: undefined,
    lastInvalid: undefined,
    stored,
  });
  for (const state of ["pending", "new", "undefined"] as const)
    assert.equal(decideBoot(undefined, facts(state), "tencent", 2, false).verdict, "trial without job");
  assert.equal(decideBoot(undefined, facts("valid"), "tencent", 2, false).verdict, "idle");
  assert.equal(decideBoot(undefined, facts("none"), "tencent", 2, false).verdict, "idle");
});

/** Every value of every column. */
const COLUMNS: { readonly [C in keyof BootCase]: readonly BootCase[C][] } = {
  job: ["none", "present"],
  platform: ["same", "other"],
  slot: ["running", "target", "other", "component"],
  version: ["same", "other"],
  firmware: ["confirmed", "unconfirmed"],
  phase: ["downloading", "committing", "trial", "confirmed"],
  outcome: ["none", "done", "fail"],
  reset: ["power loss", "deep sleep", "other"],
  image: ["denied", "not denied"],
  entry: ["failed", "not failed"],
  end: ["not reached", "outage", "other"],
  started: ["yes", "no", "unknown"],
  trials: ["left", "used up"],
  activations: ["left", "used up"],
};

test("each row of the boot table decides some case, and each case has a row", () => {
  const names = Object.keys(COLUMNS) as (keyof BootCase)[];
  const deciding = new Set<BootRow>();
  const decide = (found: { [C in keyof BootCase]?: string }, left: readonly (keyof BootCase)[]): void => {
    const [column, ...rest] = left;
    if (column !== undefined) return COLUMNS[column].forEach((value) => decide({ ...found, [column]: value }, rest));
    const row = BOOT_TABLE.find((each) =>
      names.every((name) => each[name] === undefined || each[name] === found[name]),
    );
    assert.ok(row !== undefined, JSON.stringify(found));
    deciding.add(row);
  };
  decide({}, names);
  assert.deepEqual(
    BOOT_TABLE.filter((row) => !deciding.has(row)),
    [],
  );
});
