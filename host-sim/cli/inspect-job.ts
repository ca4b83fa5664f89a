/** The agent's records in NVS, read with the agent's own code. */
import { readRecords } from "../../src/job/records";
import { budgetsInWords } from "./inspect-budgets";
import { StoredJob } from "../../src/job/stored-job";
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
  /** Trials that ended by a power loss. */
  readonly trials: number;
  /** Times the boot choice was changed for it. */
  readonly activations: number;
  /** Waits for the cloud's acknowledgement: "done", or why it failed. */
  readonly outcome: string | undefined;
}

export interface StoreInWords {
  readonly job: JobInHand | undefined;
  /** What budgets have counted, one line each. */
  readonly budgets: readonly string[];
  /** Every record: its name and how long it is, or its number. */
  readonly records: readonly { readonly key: string; readonly bytes?: number; readonly value?: number }[];
}

export function jobOf(entries: BoardDescription["store"]): StoreInWords {
  const values = new Map(entries.map(({ key, value }) => [key, value]));
  const read = {
    getNumber: (key: string) => asNumber(values.get(key)),
    getBytes: (key: string) => asBytes(values.get(key)),
  };
  const stored = readRecords(read);
  const job = StoredJob.restore(stored);
  return {
    job: job === undefined ? undefined : inHand(job),
    budgets: budgetsInWords(stored),
    records: entries.map(({ key, value }) =>
      typeof value === "number" ? { key, value } : { key, bytes: value.length },
    ),
  };
}

function inHand({ record, offer, phase, offset, outcome }: StoredJob): JobInHand {
  return {
    platform: record.platform,
    version: offer.version,
    size: offer.size,
    digest: offer.digest === undefined ? undefined : `${offer.digest.algorithm} ${offer.digest.hex}`,
    // A query may be a signature; in ThingsBoard's paths stands the access token.
    url: offer.url.replace(/\?.*/s, "").replace(/(\/api\/v1\/)[^/]+/, "$1*"),
    module: offer.module,
    phase: phase.phase,
    stored: offset,
    trials: phase.trials,
    activations: phase.activations,
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
