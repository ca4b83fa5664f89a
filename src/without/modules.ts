/** In place of modules/installers.ts, by manifest_without_modules.json: an offered module is refused by its name. */
import type { ModuleInstaller } from "../modules/installer";

const CAUSE =
  "modules: this firmware was built without other modules: give none, or leave out manifest_without_modules.json";

export const installersOf = (modules: object | undefined): Map<string, ModuleInstaller> => {
  if (modules !== undefined) throw new Error(CAUSE);
  return new Map();
};

export class PartitionInstaller {
  constructor() {
    throw new Error(CAUSE);
  }
}
