/** The mistakes that a reader would fear, made by hand: each a passage of the source and what stands there instead. */
import { readFileSync } from "node:fs";
import type { Mutant } from "./mutants";
import { placesOf } from "./passages";

interface Chosen {
  /** Of docs/DESIGN.md: which one the mistake would break. */
  readonly invariant: number;
  readonly what: string;
  readonly file: string;
  /** In the source exactly once; line breaks do not count. */
  readonly passage: string;
  readonly instead: string;
}

const job = (name: string): string => `src/job/${name}.ts`;
const WRITE = `{ type: "write", offset, bytes: this.#bytes },
      { type: "compare", offset, bytes: this.#bytes, erased: this.#skip },`;

const CHOSEN: readonly Chosen[] = [
  {
    invariant: 1,
    what: "the slot to write is the running one",
    file: "hal/model-chip/board-ports.ts",
    passage: "options.table.slots[options.running === 0 ? 1 : 0]",
    instead: "options.table.slots[options.running]",
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
    what: "the head goes into flash with the first sector",
    file: job("sector-store"),
    passage: "this.sector === 0 && !part ? HEAD : 0",
    instead: "0",
  },
  {
    invariant: 2,
    what: "the head is programmed when the download begins",
    file: job("downloading"),
    passage: `context.state = { name: "downloading" };
  return [...effects,`,
    instead: `context.state = { name: "downloading" };
  if (memory.head !== undefined) effects.push({ type: "write", offset: 0, bytes: memory.head });
  return [...effects,`,
  },
  {
    invariant: 3,
    what: "the boot choice changes before the digest is right",
    file: job("verifying"),
    passage: "if (!same) {",
    instead: "if (!same && whole === undefined) {",
  },
  {
    invariant: 3,
    what: "boot choice before the image check",
    file: job("sealing"),
    passage: `if (equal) return [{ type: "verify" }];`,
    instead: `if (equal) return [{ type: "activate" }, { type: "verify" }];`,
  },
  {
    invariant: 4,
    what: "checkpoint before program",
    file: job("sector-store"),
    passage: WRITE,
    instead: `{ type: "put-number", key: "off", value: 0 },
      ${WRITE}`,
  },
  {
    invariant: 4,
    what: "the checkpoint moves whatever the readback says",
    file: job("downloading"),
    passage: "if (!equal) return storing.repair()",
    instead: "if (!equal && storing.sector > 99) return storing.repair()",
  },
  {
    invariant: 4,
    what: "the checkpoint is one sector ahead",
    file: job("memory"),
    passage: "encodeOffset(this.#identity, this.#sectors) });",
    instead: "encodeOffset(this.#identity, this.#sectors + 1) });",
  },
  {
    invariant: 5,
    what: "a checkpoint of another image is taken over",
    file: job("record"),
    passage: `stored === undefined || stored >>> 16 !== (identity & 0xffff) ? undefined`,
    instead: "stored === undefined ? undefined",
  },
  {
    invariant: 5,
    what: "the identity leaves out the digest",
    file: job("record"),
    passage: "return writeDigest(writer, offer.digest).text(offer.digest === undefined ? offer.url : undefined).crc();",
    instead: "return writer.crc();",
  },
  {
    invariant: 6,
    what: "no checkpoint at all",
    file: job("memory"),
    passage: `    effects.push({ type: "put-number", key: this.keys.offset, value: encodeOffset(this.#identity, this.#sectors) });
`,
    instead: "",
  },
  {
    invariant: 6,
    what: "a checkpoint each eighth sector",
    file: job("memory"),
    passage: '    effects.push({ type: "put-number", key: this.keys.offset',
    instead: '    if (sector % 8 === 7) effects.push({ type: "put-number", key: this.keys.offset',
  },
  {
    invariant: 6,
    what: "each sector is erased twice",
    file: job("sector-store"),
    passage: `{ type: "erase", sector: this.sector },`,
    instead: `{ type: "erase", sector: this.sector }, { type: "erase", sector: this.sector },`,
  },
  {
    invariant: 6,
    what: "a file whose digest differs is downloaded without end",
    file: job("verifying"),
    passage: "memory === undefined || memory.state.refetched",
    instead: "memory === undefined",
  },
  {
    invariant: 7,
    what: "the outcome is said before it is stored",
    file: job("outcome"),
    passage: "[...memory.conclude(outcome), ...say(context, outcome)]",
    instead: "say(context, outcome)",
  },
  {
    invariant: 7,
    what: "the job is forgotten before the PUBACK",
    file: job("outcome"),
    passage: `return [{ type: "report", token: "outcome",`,
    instead: `return [...memory.forget(false), { type: "report", token: "outcome",`,
  },
  {
    invariant: 7,
    what: "the version goes out before a failure",
    file: job("cloud"),
    passage: `return [...answers, ...report];`,
    instead: `return [...answers, ...reportVersion(context), ...report];`,
  },
  {
    invariant: 8,
    what: "confirmed before the health check",
    file: job("trial"),
    passage: `return [{ type: "ask", question: "health",`,
    instead: `return [{ type: "confirm" }, { type: "ask", question: "health",`,
  },
  {
    invariant: 8,
    what: "done is said before the firmware is confirmed",
    file: job("trial"),
    passage:
      'return [...confirmed, ...budgets.confirmed(memory.offer, now), ...memory.enter({ phase: "confirmed" }), ...say(context, { kind: "done" })];',
    instead: 'return [...memory.enter({ phase: "confirmed" }), ...say(context, { kind: "done" }), ...confirmed];',
  },
  {
    invariant: 8,
    what: "confirmed although the health check fails",
    file: job("trial"),
    passage: "if (!ok) return giveUp(",
    instead: 'if (!ok && message === "") return giveUp(',
  },
  {
    invariant: 9,
    what: "firmware that failed is not remembered",
    file: job("trial"),
    passage: `blame ? remember(context, memory.offer, "rolled-back") : []`,
    instead: "[]",
  },
  {
    invariant: 9,
    what: "a power cut in the trial counts as the firmware's fault",
    file: job("boot-judgement"),
    passage: "blamed || (tried && !lostPower(facts))",
    instead: "blamed || tried",
  },
  {
    invariant: 9,
    what: "a failed trial counts as a power cut",
    file: job("boot-judgement"),
    passage: "blamed || (tried && !lostPower(facts))",
    instead: "blamed",
  },
  {
    invariant: 10,
    what: "an offer is not taken after a failed job",
    file: job("job"),
    passage: `context.letGo(keep);
    context.state = { name: "idle" };`,
    instead: "context.letGo(keep);",
  },
  {
    invariant: 10,
    what: "new firmware that does not reach the cloud waits for ever",
    file: job("trial"),
    passage: "return asked ? giveUp(context, `health check did not answer",
    instead: "if (!asked) return [];\n  return asked ? giveUp(context, `health check did not answer",
  },
  {
    invariant: 11,
    what: "the target's boot entry is left as it is",
    file: job("downloading"),
    passage: `offer.part === undefined ? [{ type: "invalidate" }] : []`,
    instead: "[]",
  },
  {
    invariant: 11,
    what: "unconfirmed firmware takes the next offer",
    file: job("offers"),
    passage: `if (state.name === "trial" || state.name === "reporting"`,
    instead: `if (state.name === "reporting"`,
  },
  {
    invariant: 12,
    what: "a record that grows with each failure",
    file: job("outcome"),
    passage: 'return { kind: "fail", cause, message: truncateUtf8(text, MESSAGE_MAX) };',
    instead: 'return { kind: "fail", cause, message: text.padEnd(3_000, " ") };',
  },
  {
    invariant: 12,
    what: "the list of refused images holds each as often as it is met",
    file: job("refused"),
    passage: "if (digest === undefined || this.causeOf(digest) !== undefined) return undefined;",
    instead: "if (digest === undefined) return undefined;",
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
