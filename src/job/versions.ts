/**
 * Order of versions, as people mean it. docs/SECURITY.md, "Order of versions", gives the rule for users.
 *
 *   [v] numbers [suffix] [-COMMITS-gHASH] [-dirty] [+build]
 *
 * Numbers are separated by dots. A date with hyphens ("2026-9-30") is three numbers. The suffix is split at ".", "-",
 * "_" and between letters and digits: "rc.10" and "rc10" are the same, and 10 is more than 9. COMMITS-gHASH is what git
 * describe adds to the last tag, so it is later than the tag. Where nothing tells an order the answer is "different",
 * never a guess: an update that is taken for older is refused. "older" is transitive.
 */
import { frozen } from "../util/frozen";

export type Order = "older" | "same" | "newer" | "different";

/** How one part stands to another: below 0 is older. Undefined: there is no order. */
type Sign = number | undefined;

/** Longer versions have no order. */
const MAX_LENGTH = 64;
/** Stages before a release, in their order, which is that of the alphabet. */
const STAGES: readonly string[] = frozen(["alpha", "beta", "rc"]);
/** Before a release too, but in no order to one another. */
const UNFINISHED: readonly string[] = frozen(["dev", "nightly", "pre", "preview", "snapshot"]);

interface Parsed {
  readonly numbers: readonly string[];
  readonly suffix: readonly string[];
  /** Commits since the tag, "0" at the tag itself. */
  readonly commits: string;
  /** Hash of the last commit, "" at the tag itself. */
  readonly commit: string;
  readonly dirty: boolean;
}

/** How `a` stands to `b`. "1.2" and "1.2.0" are the same. */
export const compareVersions = (a: string, b: string): Order => {
  if (a === b) return "same";
  const left = parse(a);
  const right = parse(b);
  const sign = left && right && compare(left, right);
  if (sign === undefined) return "different";
  return sign < 0 ? "older" : sign > 0 ? "newer" : "same";
};

const parse = (version: string): Parsed | undefined => {
  if (version.length > MAX_LENGTH) return undefined;
  // Not constants of the module: preloaded into flash, a RegExp crashes the engine (docs/MODDABLE.md).
  const [, rest = "", commits = "0", commit = "", dirty] =
    /^v?(.*?)(?:-(\d+)-g([\da-f]{4,40}))?(-dirty)?(?:\+[\da-z.-]+)?$/.exec(version.toLowerCase()) ?? [];
  const dotted = rest.replace(/^((?:19|20)\d\d)-(\d\d?)-(\d\d?)(?!\d)/, "$1.$2.$3");
  const match = /^(\d+(?:\.\d+)*)(?:[-_]([\da-z._-]+)|\.?([a-z][\da-z._-]*))?$/.exec(dotted);
  if (match === null) return undefined;
  const suffix = (match[2] ?? match[3] ?? "").split(/[._-]/).flatMap(wordsOf);
  // "1.2.3-0-g1a2b3c4" is the tag 1.2.3 itself.
  const tagged = bySize(commits, "0") === 0;
  return { numbers: match[1]!.split("."), suffix, commits, commit: tagged ? "" : commit, dirty: dirty !== undefined };
};

/** A hash of a commit is one word: the digits in it are no numbers. */
const wordsOf = (text: string): readonly string[] => {
  if (/^(?:g|(?=.*\d)(?=.*[a-f]))[\da-f]{7,}$/.test(text)) return [text];
  return text.match(/\d+|\D+/g) ?? [];
};

const compare = (a: Parsed, b: Parsed): Sign => {
  // A year against another number: the scheme has changed, not the version.
  if (isYear(a.numbers[0]!) !== isYear(b.numbers[0]!)) return undefined;
  for (let index = 0; index < Math.max(a.numbers.length, b.numbers.length); index++) {
    const sign = bySize(a.numbers[index] ?? "0", b.numbers[index] ?? "0");
    if (sign !== 0) return sign;
  }
  for (let index = 0; index < Math.max(a.suffix.length, b.suffix.length); index++) {
    const sign = byWord(a.suffix[index], b.suffix[index], index === 0);
    if (sign !== 0) return sign;
  }
  const commits = bySize(a.commits, b.commits);
  if (commits !== 0) return commits;
  // As many commits on two branches.
  return a.commit === b.commit ? Number(a.dirty) - Number(b.dirty) : undefined;
};

const isYear = (number: string): boolean => /^(?:19|20)\d\d$/.test(number);

/** Digits of any length. */
const bySize = (a: string, b: string): number => {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
};

/** `first`: of a suffix. Undefined: the suffix ends there. */
const byWord = (a: string | undefined, b: string | undefined, first: boolean): Sign => {
  if (a === b) return 0;
  if (a === undefined) return ofEnd(b!, first);
  if (b === undefined) {
    const sign = ofEnd(a, first);
    return sign === undefined ? undefined : -sign;
  }
  const [left, right] = [kindOf(a), kindOf(b)];
  if (left !== right) return !first && left <= STAGE && right <= STAGE ? left - right : undefined;
  if (left === NUMBER) return bySize(a, b);
  return left === OTHER ? undefined : a < b ? -1 : 1;
};

/** A release is newer than what came before it. "1.0-1" and "1.0-fix" may be later or earlier than "1.0". */
const ofEnd = (word: string, first: boolean): Sign => {
  if (first) return STAGES.includes(word) || UNFINISHED.includes(word) ? 1 : undefined;
  return kindOf(word) <= STAGE ? -1 : undefined;
};

/** As in semantic versions a number is less than a stage: "alpha.1" < "alpha.beta". */
const NUMBER = 0;
const STAGE = 1;
/** "1.0a" < "1.0b". */
const LETTER = 2;
const OTHER = 3;

const kindOf = (word: string): number => {
  if (/^\d+$/.test(word)) return NUMBER;
  if (STAGES.includes(word)) return STAGE;
  return word.length === 1 ? LETTER : OTHER;
};
