/** What was found out of the bootloader, told once. */
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { RECORDS } from "./records";
import { warning } from "./states";

/** What the record says was told. */
const TOLD = Object.freeze({ rollsBack: 1, guarded: 2, unguarded: 3 });

/** A change is told again: the bootloader may have been flashed anew. */
export const tellBootloader = ({ facts }: JobContext): JobEffect[] => {
  const { bootloaderRollsBack, guarded } = facts.startUp;
  // Where it has no rollback the guard stands in; where that can not, firmware that never runs would stay.
  if (bootloaderRollsBack === undefined && guarded) return [];
  const value = bootloaderRollsBack === true ? TOLD.rollsBack : guarded ? TOLD.guarded : TOLD.unguarded;
  if (facts.stored.bootloader === value) return [];
  const put: JobEffect = { type: "put-number", key: RECORDS.bootloader.key, value };
  if (value === TOLD.unguarded)
    return [
      put,
      warning(
        "the bootloader is not known to roll back, and with flash encryption the start-up can not count starts: new firmware that does not run may stay",
      ),
    ];
  return [put, { type: "notify", notice: { event: "bootloader", rollsBack: bootloaderRollsBack === true } }];
};
