/**
 * The manifest of a release in the form of ESP Web Tools and ESPHome (`name`, `version`, `builds[]` with `chipFamily` and
 * `ota`), with fields of our own beside theirs. docs/PLATFORMS.md describes it.
 */
import { resolveLocation, urlText } from "../../http/url";
import type { HttpUrl } from "../../http/url";
import type { Offer, OfferDigest } from "../../job/types";
import { asObject, integerMember, member, stringMember } from "../../util/json";
import type { JsonObject } from "../../util/json";

/** Longest version: that of a firmware block. */
const VERSION_MAX = 31;

/** What a manifest has for one chip. */
export interface Release {
  readonly version: string;
  /** Undefined: nothing for this chip; `why` says so. */
  readonly offer: Offer | undefined;
  readonly why: string;
}

export interface Manifest {
  readonly release: Release;
  /** 0 to 100: of the devices that take the release. */
  readonly percent: number;
  /** The release before, which the others take meanwhile. */
  readonly previous: Release | undefined;
}

/**
 * Reads a manifest that came from `url`, for one chip. Returns what is wrong with it, "field: what", where it cannot be
 * used.
 */
export const readManifest = (manifest: JsonObject, url: HttpUrl, chip: string): Manifest | string => {
  const release = releaseOf(manifest, url, chip);
  if (typeof release === "string") return release;
  const percent = member(manifest, "percent") ?? 100;
  if (typeof percent !== "number" || !(percent >= 0 && percent <= 100))
    return "percent: a number from 0 to 100 is expected";
  const before = member(manifest, "previous") ?? undefined;
  if (before === undefined) return { release, percent, previous: undefined };
  const object = asObject(before);
  const previous = object === undefined ? "an object is expected" : releaseOf(object, url, chip);
  return typeof previous === "string" ? `previous: ${previous}` : { release, percent, previous };
};

const releaseOf = (manifest: JsonObject, url: HttpUrl, chip: string): Release | string => {
  const version = stringMember(manifest, "version");
  if (version === undefined) return "version: a string is expected";
  if (!/^[!-~]+$/.test(version) || version.length > VERSION_MAX)
    return `version: 1 to ${VERSION_MAX} printable characters are expected`;
  const builds = member(manifest, "builds");
  if (!Array.isArray(builds)) return "builds: a list is expected";
  const families: string[] = [];
  for (const each of builds as unknown[]) {
    const build = asObject(each);
    const family = build && stringMember(build, "chipFamily");
    if (family === undefined) return "builds: a build without chipFamily";
    if (family === chip) return offerOf(build!, version, url, chip);
    families.push(family);
  }
  return {
    version,
    offer: undefined,
    why: `no build for ${chip}, only for ${families.slice(0, 8).join(", ") || "none"}`,
  };
};

const offerOf = (build: JsonObject, version: string, url: HttpUrl, chip: string): Release | string => {
  const ota = member(build, "ota") ?? undefined;
  if (ota === undefined) return { version, offer: undefined, why: `the build for ${chip} has no ota` };
  const file = fileOf(ota, "ota", url);
  if (typeof file === "string") return file;
  const other = member(asObject(ota)!, "delta") ?? undefined;
  if (other === undefined) return { version, offer: { version, ...file }, why: "" };
  const delta = fileOf(other, "ota.delta", url);
  if (typeof delta === "string") return delta;
  const { digest } = delta;
  if (digest === undefined) return "ota.delta: sha256 or md5 is expected";
  return { version, offer: { version, ...file, delta: { ...delta, digest } }, why: "" };
};

/** A file and where it is. `where`: its place in the build. */
const fileOf = (value: unknown, where: string, base: HttpUrl): Omit<Offer, "version"> | string => {
  const object = asObject(value);
  const path = object && stringMember(object, "path");
  if (object === undefined || path === undefined || path === "") return `${where}.path: a string is expected`;
  const target = resolveLocation(base, path);
  if (typeof target === "string") return `${where}.path: ${target}`;
  const digest = digestOf(object, where);
  if (typeof digest === "string") return digest;
  const size = member(object, "size") === undefined ? 0 : integerMember(object, "size");
  if (size === undefined || size < 0) return `${where}.size: a whole number is expected`;
  return { size, url: urlText(target), ...(digest === undefined ? {} : { digest }) };
};

/** The stronger one where there are both; both must be well-formed. */
const digestOf = (ota: JsonObject, where: string): OfferDigest | string | undefined => {
  let digest: OfferDigest | undefined;
  for (const [key, algorithm, digits] of [
    ["md5", "MD5", 32],
    ["sha256", "SHA256", 64],
  ] as const) {
    const value = member(ota, key) ?? undefined;
    if (value === undefined) continue;
    const hex = typeof value === "string" ? value.toLowerCase() : "";
    if (hex.length !== digits || !/^[0-9a-f]+$/.test(hex)) return `${where}.${key}: ${digits} hex digits are expected`;
    digest = { algorithm, hex };
  }
  return digest;
};
