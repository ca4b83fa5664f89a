/** What the agent keeps in NVS, read with the agent's own code. */
import type { Ports, Store } from "../../src/ports";
import { Executor } from "../../src/agent/executor";
import { JobMemory } from "../../src/job/memory";
import type { BoardDescription } from "../board/describe";

export interface JobInHand {
  readonly platform: string;
  readonly version: string;
  /** Bytes; 0 = not known yet. */
  readonly size: number;
  readonly digest: string | undefined;
  /** Without its query, which may hold a signature. */
  readonly url: string;
  readonly module: string | undefined;
  readonly phase: string;
  /** Bytes in flash and read back. */
  readonly stored: number;
  /** Trials that a power loss cut short. */
  readonly trials: number;
  /** Waits for the cloud's acknowledgement: "done", or why it failed. */
  readonly outcome: string | undefined;
}

export interface StoreInWords {
  readonly job: JobInHand | undefined;
  /** Every record: its name and how long it is, or its number. */
  readonly records: readonly { readonly key: string; readonly bytes?: number; readonly value?: number }[];
}

export function jobOf(entries: BoardDescription["store"]): StoreInWords {
  const values = new Map(entries.map(({ key, value }) => [key, value]));
  const read = {
    getNumber: (key: string) => asNumber(values.get(key)),
    getBytes: (key: string) => asBytes(values.get(key)),
  };
  const memory = JobMemory.restore(new Executor({ store: read as Store } as Ports, new Uint8Array(0)).snapshot());
  return {
    job: memory === undefined ? undefined : inHand(memory),
    records: entries.map(({ key, value }) =>
      typeof value === "number" ? { key, value } : { key, bytes: value.length },
    ),
  };
}

function inHand({ record, offer, state, offset, outcome }: JobMemory): JobInHand {
  return {
    platform: record.platform,
    version: offer.version,
    size: offer.size,
    digest: offer.digest === undefined ? undefined : `${offer.digest.algorithm} ${offer.digest.hex}`,
    url: offer.url.replace(/\?.*/s, ""),
    module: offer.module,
    phase: state.phase,
    stored: offset,
    trials: state.trials,
    outcome:
      outcome === undefined
        ? undefined
        : outcome.kind === "done"
          ? "done"
          : `fail (${outcome.cause}): ${outcome.message}`,
  };
}

const asNumber = (value: number | Uint8Array | undefined): number | undefined =>
  typeof value === "number" ? value : undefined;
const asBytes = (value: number | Uint8Array | undefined): Uint8Array | undefined =>
  value instanceof Uint8Array ? value : undefined;
