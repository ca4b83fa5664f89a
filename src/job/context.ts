/** What the parts of the update job share: the state it is in and what it knows. */
import type { Digest, DigestAlgorithm } from "../ports";
import type { PlatformRules } from "../platforms/platform";
import { Budgets } from "./budgets";
import type { BootFacts, Checkpoint } from "./effects";
import type { HashPass } from "./hash-pass";
import { JobMemory } from "./memory";
import { Owed } from "./owed";
import type { Policy } from "./policy";
import { Progress } from "./progress";
import { RefusedImages } from "./refused";
import type { SectorStore } from "./sector-store";
import type { Offer } from "./types";

/** The states; `until` is the time of the tick that ends one. */
export type State =
  | { readonly name: "idle" }
  /** The application was asked; nothing is stored or erased before it agrees. */
  | { readonly name: "consent"; readonly offer: Offer }
  /** The offered version already runs: is it the same image? */
  | { readonly name: "checking"; readonly pass: HashPass }
  /** Found at power-on: a fresh push is better than the stored URL, but not waited for for ever. */
  | { readonly name: "waiting"; readonly until: number }
  | { readonly name: "downloading" }
  /** The URL has expired; a version report asked for a fresh one. */
  | { readonly name: "renewing"; readonly until: number; readonly why: string }
  /** `trials`: what is looked at was proven before and only has its trial repeated; trials that it has had. */
  | { readonly name: "verifying"; readonly pass: HashPass; readonly trials: number | undefined }
  | { readonly name: "sealing"; readonly repairs: number }
  /** A module is stored and proven; its installer makes use of it. */
  | { readonly name: "installing"; readonly until: number }
  /** Sealed and proven; `burning` gets a moment to arrive. */
  | { readonly name: "burning"; readonly until: number }
  /** The application chooses the moment. */
  | { readonly name: "restart" }
  /** The chip is about to restart: nothing counts any more. */
  | { readonly name: "leaving" }
  /** `asked`: the cloud was reached and the application is looking after itself. `ofJob`: it is what the job in hand installed. */
  | { readonly name: "trial"; readonly until: number; readonly asked: boolean; readonly ofJob: boolean }
  /** The terminal outcome waits for its PUBACK. */
  | { readonly name: "reporting" };

export interface JobOptions {
  readonly platform: { readonly name: string; readonly rules: PlatformRules };
  readonly policy: Policy;
  /** Bytes that the installer of a module takes; undefined where there is none of that name. */
  capacityOf?(part: string): number | undefined;
  digest(algorithm: DigestAlgorithm): Digest;
  /**
   * Why a file is not trusted, from the SHA-256 of what its signature covers and its last 96 bytes; undefined: it is. Absent: this
   * device asks for no signature.
   */
  readonly refusalOfSignature?: (hash: Uint8Array, trailer: Uint8Array) => string | undefined;
}

const NO_CHECKPOINT: Checkpoint = Object.freeze({ offset: undefined, head: undefined });

export class JobContext {
  readonly options: JobOptions;
  readonly facts: BootFacts;
  readonly refused: RefusedImages;
  readonly budgets: Budgets;
  /** Lowest security floor of an image that may be installed. */
  floor: number;
  state: State = { name: "idle" };
  /** The job in hand, as the store has it. */
  memory: JobMemory | undefined;
  /** Checkpoints in the store that no job owns: a job of the same image adopts its own. */
  readonly #left: { firmware: Checkpoint; part: Checkpoint };
  /** Latest offer that came while none could be taken. */
  kept: Offer | undefined;
  readonly owed: Owed;
  /** URL of the latest push; the stored one may be older. */
  freshUrl: string | undefined;
  /** Times that a fresh URL was asked for in this job. */
  renewals = 0;
  /** The sector on its way into flash. */
  storing: SectorStore | undefined;
  progress = new Progress(0);
  linkUp = false;
  /** On this connection. */
  versionReported = false;
  /** When the cloud is asked again for what it may have pushed in vain; undefined without a connection. */
  askAgainAt: number | undefined;

  constructor(options: JobOptions, facts: BootFacts) {
    this.options = options;
    this.facts = facts;
    this.refused = new RefusedImages(facts.stored.refused);
    this.budgets = new Budgets(facts.stored, options.policy.repeatBudget);
    this.floor = facts.stored.floor ?? 0;
    this.#left = { firmware: facts.stored, part: facts.stored.part ?? NO_CHECKPOINT };
    // A cloud that can be asked for a fresh URL pushes again whatever it is owed.
    this.owed = new Owed(options.platform.name, !options.platform.rules.renewable, facts.stored);
  }

  leftFor(offer: Offer): Checkpoint {
    return offer.part === undefined ? this.#left.firmware : this.#left.part;
  }

  /** The job in hand goes; with `keep` its checkpoint stays for the next job of the same image. */
  letGo(keep: boolean): void {
    if (this.memory === undefined) return;
    const checkpoint = keep ? this.memory.checkpoint : NO_CHECKPOINT;
    if (this.memory.offer.part === undefined) this.#left.firmware = checkpoint;
    else this.#left.part = checkpoint;
    this.memory = undefined;
  }

  /** Takes up the job that the store holds, if any. */
  restore(): JobMemory | undefined {
    this.memory = JobMemory.restore(this.facts.stored);
    return this.memory;
  }
}
