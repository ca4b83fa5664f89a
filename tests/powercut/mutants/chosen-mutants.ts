/** Mutants chosen by hand, at least two for each invariant: a passage of the source, and what replaces it. */
import { readFileSync } from "node:fs";
import type { Mutant } from "./mutants";
import { placesOf } from "./passages";

interface Chosen {
  /** Number of the invariant (docs/DESIGN.md) that the mistake breaks. */
  readonly invariant: number;
  readonly what: string;
  readonly file: string;
  /** In the source exactly once, however it is broken into lines. */
  readonly passage: string;
  readonly instead: string;
}

const job = (name: string): string => `src/job/${name}.ts`;
const STORED = "if (this.sectors++ > 0 || this.isStaging) return [this.putOffset()];";
const WRITTEN = `{ type: "write", offset, bytes: body }, { type: "compare", offset, bytes: body, erased }`;
const OWN_FAULT = `{ entry: "failed", reset: "other", verdict: "rolled back, deny", text: failedInTrial },`;

const CHOSEN: readonly Chosen[] = [
  {
    invariant: 1,
    what: "the slot to write is the running one",
    file: "hal/model-chip/board-ports.ts",
    passage: "const target = table.slots[options.running === 0 ? 1 : 0];",
    instead: "const target = table.slots[options.running];",
  },
  {
    invariant: 1,
    what: "slots are taken to begin one sector earlier",
    file: "hal/model-chip/board-ports.ts",
    passage: "this.#chip.erase(this.#slot.address + sector * SECTOR_SIZE);",
    instead: "this.#chip.erase(this.#slot.address + (sector - 1) * SECTOR_SIZE);",
  },
  {
    invariant: 2,
    what: "the header goes into flash with the first sector",
    file: job("target"),
    passage: "const erased = sector === 0 ? HEAD : 0;",
    instead: "const erased = 0;",
  },
  {
    invariant: 2,
    what: "the header is programmed when the download begins",
    file: job("download"),
    passage: `return to({ name: "downloading", job, progress }, [...effects, request]);`,
    instead: `if (job.header !== undefined) effects.push({ type: "write", offset: 0, bytes: job.header });
  return to({ name: "downloading", job, progress }, [...effects, request]);`,
  },
  {
    invariant: 3,
    what: "the boot choice changes before the digest is right",
    file: job("verify"),
    passage: "if (!same) {",
    instead: "if (!same && whole === undefined) {",
  },
  {
    invariant: 3,
    what: "boot choice before the image check",
    file: job("commit"),
    passage: `if (equal) return to(state, [{ type: "verify" }]);`,
    instead: `if (equal) return to(state, [{ type: "activate" }, { type: "verify" }]);`,
  },
  {
    invariant: 4,
    what: "checkpoint before program",
    file: job("target"),
    passage: WRITTEN,
    instead: `{ type: "put-number", key: "off", value: 0 }, ${WRITTEN}`,
  },
  {
    invariant: 4,
    what: "the checkpoint moves whatever the readback says",
    file: job("download"),
    passage: "if (equal) {",
    instead: "if (equal || offset <= 99 * SECTOR) {",
  },
  {
    invariant: 4,
    what: "the checkpoint is one sector ahead",
    file: job("stored-job"),
    passage: `return { type: "put-number", key, value: encode(this.identityNow, this.sectors) };`,
    instead: `return { type: "put-number", key, value: encode(this.identityNow, this.sectors + 1) };`,
  },
  {
    invariant: 4,
    what: "a checkpoint of the image carries the identity of its container",
    file: job("stored-job"),
    passage: "return this.staged === undefined || this.isStaging",
    instead: "return this.staged === undefined || this.expands || this.isStaging",
  },
  {
    invariant: 5,
    what: "a checkpoint of another image is taken over",
    file: job("job-codecs"),
    passage: "stored === undefined || stored >>> 16 !== (identity & 0xffff) ? undefined",
    instead: "stored === undefined ? undefined",
  },
  {
    invariant: 5,
    what: "the identity leaves out the digest",
    file: job("job-codecs"),
    passage: "return writeIdentity(record).text(digest === undefined ? url : undefined).crc();",
    instead: `const { digest: _digest, ...bare } = record.offer;
  return writeIdentity({ ...record, offer: bare }).text(digest === undefined ? url : undefined).crc();`,
  },
  {
    invariant: 6,
    what: "no checkpoint after the first sector",
    file: job("stored-job"),
    passage: STORED,
    instead: "if (this.sectors++ > 0) return [];",
  },
  {
    invariant: 6,
    what: "a checkpoint each eighth sector",
    file: job("stored-job"),
    passage: STORED,
    instead: "if (this.sectors++ > 0) return this.sectors % 8 === 0 ? [this.putOffset()] : [];",
  },
  {
    invariant: 6,
    what: "each sector is erased twice",
    file: job("target"),
    passage: "return [erase === 1 ?",
    instead: `return [{ type: "erase", sector }, erase === 1 ?`,
  },
  {
    invariant: 6,
    what: "the sector in whose program the power was cut counts as erased",
    file: job("stored-job"),
    passage: "this.torn = sectors;",
    instead: "",
  },
  {
    invariant: 6,
    what: "a block that is erased ahead counts as erased before it is",
    file: job("download"),
    passage: `[{ type: "erase", sector, block: true }, ...job.erased(sector + blockSectors)]`,
    instead: `[...job.erased(sector + blockSectors), { type: "erase", sector, block: true }]`,
  },
  {
    invariant: 6,
    what: "what is rewound counts as erased",
    file: job("stored-job"),
    passage: "return [...this.erased(0), this.putOffset()];",
    instead: "return [this.putOffset()];",
  },
  {
    invariant: 6,
    what: "the block that is erased ahead is the one that is written",
    file: job("download"),
    passage: "const sector = job.erasedTo;",
    instead: "const sector = job.erasedTo - blockSectors;",
  },
  {
    invariant: 6,
    what: "a file whose digest differs is downloaded without end",
    file: job("verify"),
    passage: "if (job.phase.refetched) return undefined;",
    instead: "",
  },
  {
    invariant: 7,
    what: "the outcome is reported before it is stored",
    file: job("outcome"),
    passage: "return before([job.conclude(outcome)], report(job, outcome));",
    instead: "return report(job, outcome);",
  },
  {
    invariant: 7,
    what: "the job is forgotten before the PUBACK",
    file: job("outcome"),
    passage: "[reportOf(job, outcome), noticeOf(job.offer, outcome)]",
    instead: "[...job.forget(false), reportOf(job, outcome), noticeOf(job.offer, outcome)]",
  },
  {
    invariant: 7,
    what: "the version goes out before a failure",
    file: job("report"),
    passage: "return to(state, [...answer, report]);",
    instead: "return to(state, [...answer, ...reportVersion(context, state), report]);",
  },
  {
    invariant: 8,
    what: "confirmed before the health check",
    file: job("trial"),
    passage: `[{ type: "ask", question: "health", task }]`,
    instead: `[{ type: "confirm" }, { type: "ask", question: "health", task }]`,
  },
  {
    invariant: 8,
    what: "done is reported before the firmware is confirmed",
    file: job("trial"),
    passage: `return before(
    [...confirm(context), ...context.budgets.confirmed(job.known, now), job.enter({ phase: "confirmed" })],
    report(job, { kind: "done" }),
  );`,
    instead: `const { state: done, effects } = report(job, { kind: "done" });
  return to(done, [job.enter({ phase: "confirmed" }), ...effects, ...confirm(context)]);`,
  },
  {
    invariant: 8,
    what: "confirmed although the health check fails",
    file: job("trial"),
    passage: "if (!ok) return giveUp(",
    instead: `if (!ok && message === "") return giveUp(`,
  },
  {
    invariant: 9,
    what: "firmware that failed is not remembered",
    file: job("trial"),
    passage: `deny ? blame(context, job, now) : []`,
    instead: "[]",
  },
  {
    invariant: 9,
    what: "a power cut in the trial counts as the firmware's fault",
    file: job("boot-table"),
    passage: OWN_FAULT,
    instead: `{ entry: "failed", verdict: "rolled back, deny", text: failedInTrial },`,
  },
  {
    invariant: 9,
    what: "a failed trial counts as a power cut",
    file: job("boot-table"),
    passage: OWN_FAULT,
    instead: "",
  },
  {
    invariant: 9,
    what: "an unreachable cloud is the image's fault in any case",
    file: job("boot-table"),
    passage: `{ end: "not reached", verdict: "decide" },`,
    instead: `{ end: "not reached", verdict: "report" },`,
  },
  {
    invariant: 9,
    what: "the image is to blame although the old firmware reached the cloud late",
    file: job("deciding"),
    passage: "if (!outage) {",
    instead: "if (!outage || budgets.waitFor(job.offer, now) < 1e9) {",
  },
  {
    invariant: 9,
    what: "nobody decides about an image that did not reach the cloud",
    file: job("deciding"),
    passage: `event.token === "burning" ? reached(context, state, now)`,
    instead: `event.token === "version" ? reached(context, state, now)`,
  },
  {
    invariant: 10,
    what: "an offer is not taken after a failed job",
    file: job("offers"),
    passage: "return before(closed, takeDeferred(context, now));",
    instead: `return to({ name: "reporting", job, outcome } as never, closed);`,
  },
  {
    invariant: 10,
    what: "new firmware that does not reach the cloud waits for ever",
    file: job("trial"),
    passage: "extension(context, state, now) ?? giveUp(",
    instead: `(state.asked ? undefined : stay({ ...state, until: now + 1000 })) ?? extension(context, state, now) ?? giveUp(`,
  },
  {
    invariant: 11,
    what: "the target's boot entry is left as it is",
    file: job("target"),
    passage: `prepare: () => [{ type: "invalidate" }],`,
    instead: "prepare: none,",
  },
  {
    invariant: 11,
    what: "unconfirmed firmware takes the next offer",
    file: job("machine"),
    passage: "trial: { offer: offerWhileUnable,",
    instead: "trial: { offer: offerWhenBusy,",
  },
  {
    invariant: 12,
    what: "a record that grows with each failure",
    file: job("outcome"),
    passage: `return { kind: "fail", cause, message: truncateUtf8(text, MESSAGE_MAX) };`,
    instead: `return { kind: "fail", cause, message: text.padEnd(3_000, " ") };`,
  },
  {
    invariant: 12,
    what: "the denylist holds each image as often as it is met",
    file: job("denylist"),
    passage: "if (digest === undefined || this.causeOf(digest) !== undefined) return undefined;",
    instead: "if (digest === undefined) return undefined;",
  },
  {
    invariant: 13,
    what: "new images are not counted",
    file: job("budgets"),
    passage: "if (news.count < NEW_IMAGES) return undefined;",
    instead: "return undefined;",
  },
  {
    invariant: 13,
    what: "an image counts when it is offered and not when it is written",
    file: job("download"),
    passage: "return before(target.installs(context, offer, now), stored);",
    instead: "return stored;",
  },
  {
    invariant: 13,
    what: "trials follow one another without a wait",
    file: job("budgets"),
    passage: "return at + (TRIAL_WAITS[count - 1] ?? 0) - this.awakeAt(now);",
    instead: "return at - at;",
  },
];

/** Throws if a passage is not in its file exactly once. */
export function chosenMutants(root: URL): Mutant[] {
  return CHOSEN.map(({ invariant, what, file, passage, instead }) => {
    const source = readFileSync(new URL(file, root), "utf8");
    const [place, ...more] = placesOf(source, passage);
    if (place === undefined || more.length > 0) throw new Error(`${file} does not contain once: ${passage}`);
    return {
      name: `${file} chosen, invariant ${invariant}: ${what}`,
      file,
      operator: "chosen",
      text: source.slice(0, place.start) + instead + source.slice(place.end),
    };
  });
}
