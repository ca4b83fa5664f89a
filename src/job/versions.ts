/**
 * Order of versions. Dotted numbers ("1.2", "v1.2.3.4") and semantic versions ("1.2.3-rc.1+build", semver.org section
 * 11) have one; anything else is opaque: only "same" or "different".
 */
export type Order = "older" | "same" | "newer" | "different";

/** Longest number and version looked at: more is opaque. */
const MAX_LENGTH = 64;

interface Parsed {
  readonly numbers: readonly number[];
  readonly pre: readonly string[];
}

const parse = (version: string): Parsed | undefined => {
  if (version.length > MAX_LENGTH) return undefined;
  // Not a constant of the module: preloaded into flash, a RegExp crashes the engine (docs/MODDABLE.md).
  const match = /^v?(\d{1,9}(?:\.\d{1,9}){0,5})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(version);
  if (match === null) return undefined;
  return { numbers: (match[1] ?? "").split(".").map(Number), pre: match[2] === undefined ? [] : match[2].split(".") };
};

/** How `a` stands to `b`. "1.2" and "1.2.0" are the same; a pre-release is older than its release. */
export const compareVersions = (a: string, b: string): Order => {
  if (a === b) return "same";
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return "different";
  for (let index = 0; index < Math.max(left.numbers.length, right.numbers.length); index++) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference < 0 ? "older" : "newer";
  }
  return comparePreRelease(left.pre, right.pre);
};

const comparePreRelease = (a: readonly string[], b: readonly string[]): Order => {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? "same" : a.length === 0 ? "newer" : "older";
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index];
    const right = b[index];
    if (left === right) continue;
    if (left === undefined) return "older";
    if (right === undefined) return "newer";
    const leftNumber = /^\d+$/.test(left);
    const rightNumber = /^\d+$/.test(right);
    if (leftNumber && rightNumber) return Number(left) < Number(right) ? "older" : "newer";
    if (leftNumber !== rightNumber) return leftNumber ? "older" : "newer";
    return left < right ? "older" : "newer";
  }
  return "same";
};
