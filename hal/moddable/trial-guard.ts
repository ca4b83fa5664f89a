/**
 * Rolls back firmware that is still unconfirmed after the longest trial allowed. An agent ends its trial itself,
 * `trialSeconds` after it was constructed. This guard is for an app that constructs no agent, or constructs it only
 * when its network is up.
 */
import { TRIAL_SECONDS_MAX } from "../../src/constants";
import { isUnconfirmed } from "../../src/job/boot-table";
import type { Boot, Clock } from "../../src/ports";

/** Call it before any code of the application. `expired`: notes the reason, one line, before the chip restarts. */
export const guardTrial = (boot: Boot, clock: Clock, expired: (reason: string) => void): void => {
  if (!isUnconfirmed(boot.running())) return;
  clock.set(() => {
    if (!isUnconfirmed(boot.running())) return;
    expired(`not confirmed within ${TRIAL_SECONDS_MAX} s`);
    boot.rollback();
    // The rollback returns where there is no other image.
    boot.restart();
  }, TRIAL_SECONDS_MAX * 1000);
};
