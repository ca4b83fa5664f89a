/** Counts by itself what the budgets bound, and complains when one is exceeded. */
import {
  NEW_IMAGES,
  NEW_IMAGE_REFILL,
  REPEAT_BUDGET,
  REPEAT_REFILL,
  TRIALS_MAX,
  TRIAL_WAITS,
} from "../../src/constants";
import type { ResetReason } from "../../src/ports";

/** Images that a device remembers of each kind (src/job/budgets.ts): older ones count as new. */
const REMEMBERED = 8;
/** Awake time that a power cut may lose, s (AWAKE_STORE_INTERVAL), and rounding. */
const LOST = 61;

interface Tried {
  readonly id: string;
  count: number;
  /** Awake seconds when its last trial ended, and whether a power loss ended it. */
  ended: number;
  byPower: boolean;
}

export class BudgetOracle {
  readonly complaints: string[] = [];
  switches = 0;
  trials = 0;
  #tried: Tried[] = [];
  #confirmed: string[] = [];
  #news = 0;
  #repeats = 0;
  #onTrial: Tried | undefined;

  /** The boot choice has changed to an image, at `now` awake seconds, and it starts on trial. */
  trial(id: string, now: number): void {
    this.trials++;
    const before = this.#tried.find((each) => each.id === id);
    const tried = before ?? { id, count: 0, ended: 0, byPower: false };
    this.#tried = [...this.#tried.filter((each) => each.id !== id), tried].slice(-REMEMBERED);
    tried.count++;
    if (tried.count > TRIALS_MAX) this.complaints.push(`trial ${tried.count} of ${id}`);
    // After a power loss the verified image gets its next trial at once.
    const wait = TRIAL_WAITS[tried.count - 2] ?? 0;
    if (before !== undefined && !tried.byPower && now - tried.ended < wait - 1)
      this.complaints.push(`trial ${tried.count} of ${id} after ${now - tried.ended} s`);
    this.#onTrial = tried;
  }

  /** Another boot cycle has begun: a trial that was under way has ended without a confirm. */
  ended(reason: ResetReason, now: number): void {
    if (this.#onTrial === undefined) return;
    this.#onTrial.ended = now;
    this.#onTrial.byPower = reason === "power-on";
    this.#onTrial = undefined;
  }

  confirmed(id: string): void {
    this.#tried = this.#tried.filter((each) => each.id !== id);
    this.#confirmed = [...this.#confirmed.filter((each) => each !== id), id].slice(-REMEMBERED);
    this.#onTrial = undefined;
  }

  /** A job has begun to write an image: it counts, whatever becomes of it. */
  install(id: string, now: number): void {
    this.switches++;
    if (this.#confirmed.includes(id)) this.#repeats++;
    else this.#news++;
    const repeats = REPEAT_BUDGET + (now + LOST) / REPEAT_REFILL;
    const news = NEW_IMAGES + (now + LOST) / NEW_IMAGE_REFILL;
    if (this.#repeats > repeats) this.complaints.push(`${this.#repeats} repeated installs in ${now} s`);
    if (this.#news > news) this.complaints.push(`${this.#news} new images in ${now} s`);
  }

  /** Erases of one sector, at most, in so many awake seconds: an install erases its first sector twice at most. */
  erases(most: number, now: number): void {
    const bound = 2 * (REPEAT_BUDGET + NEW_IMAGES + now / REPEAT_REFILL + now / NEW_IMAGE_REFILL + 2);
    if (most > bound) this.complaints.push(`${most} erases of one sector in ${now} s`);
  }
}
