/** One line at start on what decides whether updates are safe, so that a log of a device tells it. */
import type { Boot } from "../../src/ports";

/** build-facts.c. */
class BuildFacts {
  static line(): string {
    return native("xs_ota_buildFacts").call(this) as string;
  }
}

/** Call it before anything that needs the inactive slot. */
export const tellBuildFacts = (boot: Boot, log: (line: string) => void): void => {
  const without = boot.startUp().bootloaderRollsBack === false ? "; the bootloader in flash does NOT roll back" : "";
  log(BuildFacts.line() + without);
};
