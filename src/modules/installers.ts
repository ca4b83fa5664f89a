/**
 * Installers of modules other than the firmware. manifest_without_modules.json puts another module in this one's place.
 */
import type { ModuleInstaller } from "./installer";

export { PartitionInstaller } from "./partition-installer";

/** `modules`: as in AgentOptions. */
export const installersOf = (modules: { readonly [name: string]: ModuleInstaller } = {}) =>
  new Map(Object.entries(modules));
