import { MQTT_STABLE, REMARK_AGAIN, REMARKS_MAX } from "../constants";

/** Decides what is said of why nothing happens: each cause once, and again when it still holds after REMARK_AGAIN. */
export class Remarks {
  /** When each cause was said, the latest last. */
  private said: Map<string, number> | undefined;

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
    const said = (this.said ??= new Map<string, number>());
    const before = said.get(cause);
    if (before !== undefined && now < before + REMARK_AGAIN) return false;
    said.delete(cause);
    said.set(cause, now);
    if (said.size > REMARKS_MAX) forgetOldest(said);
    return true;
  }
}

const forgetOldest = (said: Map<string, number>): void => {
  for (const cause of said.keys()) {
    said.delete(cause);
    return;
  }
};
