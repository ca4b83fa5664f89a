import { MQTT_STABLE, REMARK_AGAIN, REMARKS_MAX } from "../constants";

/** Decides what is said of why nothing happens: each cause once, and again when it still holds after REMARK_AGAIN. */
export class Remarks {
  /** When each cause was said, the latest last. */
  private readonly said = new Map<string, number>();

  /** When the broker was reached; undefined while it is not. */
  private upSince: number | undefined;

  /** The broker is reached. */
  up(now: number): void {
    this.upSince = now;
  }

  /** The broker is not reached, or no more. Whether a connection had held for a while. */
  lasted(now: number): boolean {
    const { upSince } = this;
    this.upSince = undefined;
    return upSince !== undefined && now - upSince >= MQTT_STABLE;
  }

  /** Whether to say it. Numbers in the text (a wait, a count, a port) make no other cause. */
  due(text: string, now: number): boolean {
    const cause = text.replace(/[0-9]+/g, "#");
    const before = this.said.get(cause);
    if (before !== undefined && now < before + REMARK_AGAIN) return false;
    this.said.delete(cause);
    this.said.set(cause, now);
    if (this.said.size > REMARKS_MAX) this.forgetOldest();
    return true;
  }

  private forgetOldest(): void {
    for (const cause of this.said.keys()) {
      this.said.delete(cause);
      return;
    }
  }
}
