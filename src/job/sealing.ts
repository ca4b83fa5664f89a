/** From a digest that matched to the restart: head, image check, boot choice. Each step is stored before the one that needs it. */
import { BURNING_ACK, HEAD, SECTOR_REPAIRS } from "../constants";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { fail } from "./outcome";
import { install } from "./part";

export function digestMatched(context: JobContext, now: number): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  return [
    ...memory.enter({ phase: "sealing" }),
    ...(memory.offer.part === undefined ? seal(context) : install(context, now)),
  ];
}

/** Says `burning` and programs the head. */
function seal(context: JobContext): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  return [
    { type: "report", token: "burning", report: { kind: "burning", task: memory.offer } },
    { type: "notify", notice: { event: "state", state: "burning" } },
    ...programHead(context, 0),
  ];
}

/** Always, also where it reads right after a cut: a torn program may read right by chance. */
function programHead(context: JobContext, repairs: number): JobEffect[] {
  const head = context.memory?.head;
  if (head === undefined) return fail(context, "flash", "the head of the image is lost", {});
  context.state = { name: "sealing", repairs };
  return [
    { type: "write", offset: 0, bytes: head },
    { type: "compare", offset: 0, bytes: head, erased: 0 },
  ];
}

export function headCompared(context: JobContext, equal: boolean): JobEffect[] {
  if (context.state.name !== "sealing") return [];
  if (equal) return [{ type: "verify" }];
  const repairs = context.state.repairs + 1;
  if (repairs <= SECTOR_REPAIRS) return programHead(context, repairs);
  return fail(context, "flash", `flash at 0x0 does not hold the first ${HEAD} bytes`, { eraseHead: true });
}

/** The image is bootable; `length` bytes of the file are its own. */
export function verified(context: JobContext, length: number, now: number): JobEffect[] {
  const { memory } = context;
  if (memory === undefined || context.state.name !== "sealing") return [];
  if (length > memory.offer.size)
    return fail(context, "rejected", `image of ${length} bytes is longer than the file of ${memory.offer.size}`, {
      blame: true,
      eraseHead: true,
    });
  context.state = { name: "burning", until: now + BURNING_ACK };
  return [];
}

/** `burning` has arrived or had its time: when may the chip restart? */
export function askRestart(context: JobContext): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  context.state = { name: "restart" };
  return [{ type: "ask", question: "restart", task: memory.offer }];
}

/**
 * Changes the boot choice and restarts; `trials` were cut short before. First of all the entry of the trial before goes, with that trial
 * counted: as long as it is there, a cut that comes before the new entry looks like one more trial that was cut short.
 */
export function activate(context: JobContext, trials: number, now: number): JobEffect[] {
  const { memory, facts, budgets } = context;
  if (memory === undefined) return [];
  context.state = { name: "leaving" };
  return [
    ...memory.enter({ phase: "sealing", trials }),
    ...budgets.installs(memory.offer, memory.state.activations === 0, now),
    { type: "invalidate" },
    ...memory.enter({ phase: "trial", trials, activations: memory.state.activations + 1 }),
    { type: "activate" },
    { type: "notify", notice: { event: "reboot", slot: facts.target } },
    { type: "reboot", slot: facts.target },
  ];
}
