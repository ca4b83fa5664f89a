import type { Crypto } from "../../../src/ports";
import type { Platform } from "../../../src/index";
import type { AnyPlatform } from "../../../src/platforms/platform";
import { PLATFORMS } from "../../../src/platforms/index";
import type { PlatformConfiguration } from "./configuration";

/** The definition that a configuration names. Throws if there is none. */
export function definitionOf(kind: string, platforms: readonly AnyPlatform[] = PLATFORMS): AnyPlatform {
  const found = platforms.find(({ name }) => name === kind);
  if (found === undefined) throw new Error(`platform: ${JSON.stringify(kind)} is not one of this firmware`);
  return found;
}

/** The platform that a configuration names. Throws with one line if the configuration can not work. */
export function createPlatform(
  configuration: PlatformConfiguration,
  crypto: Crypto,
  platforms: readonly AnyPlatform[] = PLATFORMS,
): Platform {
  const { Platform } = definitionOf(configuration.kind, platforms);
  return new Platform(configuration as never, crypto);
}
