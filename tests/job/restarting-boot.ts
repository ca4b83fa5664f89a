/** A boot port whose restarts do not return, as on a chip: the model of the board only notes that one is wanted. */
import type { Boot } from "../../src/ports";

/** The chip restarts: nothing of the firmware that ran is executed any more. */
export class Restart extends Error {}

/** `board`: the one that `boot` belongs to. Calls that a test replaces on `boot` are taken. */
export function restartingBoot(boot: Boot, board: { readonly restartWanted: string | undefined }): Boot {
  const end = (): void => {
    if (board.restartWanted !== undefined) throw new Restart();
  };
  return {
    running: () => boot.running(),
    startUp: () => boot.startUp(),
    target: () => boot.target(),
    resetReason: () => boot.resetReason(),
    readRunning: (offset, into) => boot.readRunning(offset, into),
    expander: (oldLength) => boot.expander(oldLength),
    targetStarted: () => boot.targetStarted(),
    lastInvalid: () => boot.lastInvalid(),
    invalidateTarget: () => boot.invalidateTarget(),
    verifyTarget: () => boot.verifyTarget(),
    activate: () => boot.activate(),
    confirm: () => boot.confirm(),
    deadline: (milliseconds) => boot.deadline(milliseconds),
    sleep: (seconds) => {
      boot.sleep(seconds);
      end();
    },
    rollback: () => {
      boot.rollback();
      end();
    },
    restart: () => {
      boot.restart();
      end();
    },
  };
}
