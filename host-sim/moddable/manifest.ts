/** Manifests of the Moddable SDK as files, and mcconfig's choice among their platforms. */

export interface Section {
  readonly include?: Include | readonly Include[];
  readonly build?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly creation?: Readonly<Record<string, unknown>>;
  readonly defines?: Readonly<Record<string, unknown>>;
  readonly modules?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly warning?: string;
}

export interface Manifest extends Section {
  readonly platforms?: Readonly<Record<string, Section>>;
}

export type Include = string | GitInclude;

export interface GitInclude {
  readonly git: string;
  readonly tag?: string;
  readonly branch?: string;
  /** A path in the clone, or a manifest. */
  readonly manifest?: string | Manifest;
}

export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** Tool.matchPlatform of mcmanifest.js: the first section that fits the most particular name, and only that. */
export function platformSection(manifest: Manifest, platform: string): Section | undefined {
  const platforms = Object.entries(manifest.platforms ?? {});
  for (const parts = platform.split("/"); parts.length > 0; parts.pop()) {
    const name = parts.join("/");
    for (const [key, section] of platforms) {
      const fits = key.endsWith("/*")
        ? name.startsWith(key.slice(0, -1))
        : key.startsWith("*/")
          ? name.endsWith(key.slice(1))
          : key === name;
      if (fits) return section;
    }
  }
  return manifest.platforms?.["..."];
}
