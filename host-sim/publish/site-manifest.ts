/** The manifest in a folder of published firmware: what a further release or another percentage makes of it. */
import { CHIP_NAMES } from "../../src/platforms/static/chip-names";
import { compareVersions } from "../../src/job/versions";

/** A file in the folder, under a name that never gets other bytes. */
export interface PublishedFile {
  readonly path: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

/** For installation in a browser (ESP Web Tools): a file and where it goes in flash. */
export interface InstallPart {
  readonly path: string;
  readonly offset: number;
}

export interface Build {
  readonly chipFamily: string;
  readonly ota?: PublishedFile & { readonly delta?: PublishedFile };
  readonly parts?: readonly InstallPart[];
}

export interface SiteManifest {
  readonly name: string;
  readonly version: string;
  readonly product?: string;
  readonly percent?: number;
  readonly builds: readonly Build[];
  readonly previous?: { readonly version: string; readonly builds: readonly Build[] };
}

/** What is published. */
export interface Release {
  readonly product: string;
  readonly version: string;
  readonly build: Build;
}

export const chipFamily = (chip: number): string => {
  const name = CHIP_NAMES[chip];
  if (name === undefined) throw new Error(`no browser and no device knows chip ${chip} by a name`);
  return name;
};

/** Throws one line where `value` is none. */
export function asSiteManifest(value: unknown): SiteManifest {
  const manifest = value as Partial<SiteManifest> | null;
  const isManifest =
    typeof manifest === "object" &&
    manifest !== null &&
    typeof manifest.version === "string" &&
    Array.isArray(manifest.builds) &&
    manifest.builds.every((build: unknown) => typeof (build as Build | null)?.chipFamily === "string");
  if (!isManifest) throw new Error("it is no manifest: version and builds are expected");
  return manifest as SiteManifest;
}

/**
 * The manifest with one more release, or one more chip of the release that it has. `percent` undefined: all devices, or
 * as before for the same version. Throws one line where that would not be an update, unless `force`.
 */
export function withRelease(
  before: SiteManifest | undefined,
  { product, version, build }: Release,
  percent: number | undefined,
  force: boolean,
): SiteManifest {
  if (before === undefined) return { name: product, version, product, percent: percent ?? 100, builds: [build] };
  if (before.product !== undefined && before.product !== product)
    throw new Error(
      `the folder has product ${JSON.stringify(before.product)}, the image is of ${JSON.stringify(product)}`,
    );
  if (before.version === version) return sameVersion(before, build, percent, force);
  if (!force && compareVersions(version, before.version) === "older")
    throw new Error(`${version} is older than ${before.version}, which is published (--force publishes it)`);
  // Devices outside of the rollout take only what all had got.
  const { previous, ...kept } = before;
  const last =
    (before.percent ?? 100) === 100 ? { version: before.version, builds: before.builds.map(plain) } : previous;
  return {
    ...kept,
    version,
    product,
    percent: percent ?? 100,
    builds: [build],
    ...(last === undefined ? {} : { previous: last }),
  };
}

function sameVersion(before: SiteManifest, build: Build, percent: number | undefined, force: boolean): SiteManifest {
  const old = before.builds.find(({ chipFamily: family }) => family === build.chipFamily);
  if (!force && old?.ota !== undefined && old.ota.sha256 !== build.ota?.sha256)
    throw new Error(
      `${before.version} is published with other bytes, and no device that has them would take these: give the image a new version (--force replaces it)`,
    );
  const builds = before.builds.filter((each) => each !== old);
  return { ...before, percent: percent ?? before.percent ?? 100, builds: [...builds, { ...old, ...build }] };
}

/** The release before is for updates only. */
const plain = ({ chipFamily: family, ota }: Build): Build => ({
  chipFamily: family,
  ...(ota === undefined ? {} : { ota }),
});

/** The files that builds name, without those elsewhere (absolute URLs). */
export function filesOf(builds: readonly Build[]): string[] {
  const paths = builds.flatMap(({ ota, parts = [] }) => [
    ...(ota === undefined ? [] : [ota.path]),
    ...(ota?.delta === undefined ? [] : [ota.delta.path]),
    ...parts.map(({ path }) => path),
  ]);
  return [...new Set(paths)].filter((path) => !/^([a-z][a-z0-9+.-]*:|\/)/i.test(path));
}
