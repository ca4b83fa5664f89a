import { STATUSES, type Counts, type Member } from "./rollout";

/** The members of one rollout, counted by wave and status as they change. */
export class Members {
  readonly #members = new Map<string, Member>();
  readonly #counts: Record<Member["status"], number>[];
  #waiting = 0;

  constructor(members: readonly Member[], waves: number) {
    this.#counts = Array.from({ length: waves }, none);
    for (const member of members) {
      this.#members.set(member.device, member);
      this.#counts[member.wave]![member.status]++;
      this.#waiting += waits(member);
    }
  }

  get size(): number {
    return this.#members.size;
  }

  get(device: string): Member | undefined {
    return this.#members.get(device);
  }

  /** In the order in which they are asked. */
  list(): Member[] {
    return [...this.#members.values()];
  }

  replace(member: Member): void {
    const before = this.#members.get(member.device);
    if (before === undefined) return;
    this.#counts[before.wave]![before.status]--;
    this.#counts[member.wave]![member.status]++;
    this.#waiting += waits(member) - waits(before);
    this.#members.set(member.device, member);
  }

  /** Of the first `waves` waves; all by default. */
  counts(waves = this.#counts.length): Counts {
    const sum = none();
    for (const wave of this.#counts.slice(0, waves)) for (const status of STATUSES) sum[status] += wave[status];
    return sum;
  }

  countsOf(wave: number): Counts {
    return { ...this.#counts[wave]! };
  }

  /** Devices that are to be asked as soon as they come online. */
  get waiting(): number {
    return this.#waiting;
  }
}

/** Its task is there and could not be pushed yet. */
function waits({ status, task }: Member): number {
  return status === "pending" && task !== undefined ? 1 : 0;
}

function none(): Record<Member["status"], number> {
  return { pending: 0, pushed: 0, upgrading: 0, success: 0, failure: 0, cancelled: 0 };
}
