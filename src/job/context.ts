/**
 * What all states of the update job share: what a boot found, what is remembered of images, and what the cloud is
 * waiting for.
 */
import { Budgets } from "./budgets";
import { Denylist } from "./denylist";
import type { BootFacts, JobOptions } from "./effects";
import { PendingDeliveries } from "./pending";
import { NO_CHECKPOINT } from "./records";
import type { Checkpoint } from "./records";
import type { Obstacles } from "./stage";
import type { StoredJob } from "./stored-job";
import { COMPONENT, FIRMWARE } from "./target";
import type { Surroundings, Target } from "./target";
import type { Offer, Outcome } from "./types";

interface Answered {
  readonly offer: Offer;
  readonly outcome: Outcome;
}

export class JobContext implements Surroundings {
  readonly options: JobOptions;
  readonly facts: BootFacts;
  readonly denylist: Denylist;
  readonly budgets: Budgets;
  readonly pending: PendingDeliveries;
  minimumSecurityVersion: number;
  /** Checkpoints in the store that belong to no job. The next job of the same image adopts its own. */
  private readonly left: { [name in Target["name"]]: Checkpoint };
  /** The latest answer to an offer of the running version. A broker delivers a retained offer at each connect. */
  answered: Answered | undefined;
  /** The latest offer that came while none could begin. */
  deferred: Offer | undefined;
  /** Of a cloud that shows a wanted state: refused for good, and answered. */
  refusedForGood: Offer | undefined;
  /** Of the same: why the wanted image cannot begin, as it was told last, without its numbers. */
  toldWhy: string | undefined;
  /** The latest offer that came with a container: the container, and the plain image. */
  alternative: { readonly file: Offer; readonly plain: Offer } | undefined;
  /** A container that was of no use. */
  unfit: Offer | undefined;
  /** Taken in place of the job that has just ended. */
  instead: Offer | undefined;
  linkUp = false;
  readonly obstacles: Obstacles = { network: undefined, link: undefined };
  /** A connection was lost, or could not be made, and none has come since. */
  linkDown = false;
  /** There has been an address since the boot. */
  hasAddress: boolean;
  /** On this connection. */
  versionReported = false;
  /** When the cloud is asked again for a push that may have been lost; undefined without a connection. */
  askAgainAt: number | undefined;

  constructor(options: JobOptions, facts: BootFacts) {
    const { stored } = facts;
    this.options = options;
    this.hasAddress = options.withoutAddress !== true;
    this.facts = facts;
    this.denylist = new Denylist(stored.denylist);
    this.budgets = new Budgets(stored, options.policy.repeatBudget);
    this.minimumSecurityVersion = stored.minimumSecurityVersion ?? 0;
    this.left = { firmware: FIRMWARE.checkpointIn(stored), component: COMPONENT.checkpointIn(stored) };
    // A cloud that can be asked for a fresh URL pushes again whatever is pending.
    this.pending = new PendingDeliveries(options.platform.name, !options.platform.rules.renewable, stored);
  }

  /** The checkpoint that was left for a job of this target. */
  leftFor(target: Target): Checkpoint {
    return this.left[target.name];
  }

  /** The job is over. With `keep` its checkpoint stays for the next job of the same image. */
  leave(job: StoredJob, keep: boolean): void {
    // Whose size was never told has changed nothing.
    if (job.size > 0) this.left[job.target.name] = keep ? job.checkpoint : NO_CHECKPOINT;
  }
}
