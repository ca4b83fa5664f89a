/** What is wrong, what it does to devices in the field, and what mends it: one line. */

export interface Finding {
  /** "wrong": the device can not be updated safely. "note": it can, and there is something to know. */
  readonly level: "wrong" | "note";
  /** Where and what. */
  readonly what: string;
  /** Files, or builds. */
  readonly where?: string;
  readonly consequence: string;
  readonly fix: string;
}

export const wrong = (what: string, consequence: string, fix: string): Finding => ({
  level: "wrong",
  what,
  consequence,
  fix,
});

export const note = (what: string, consequence: string, fix: string): Finding => ({
  level: "note",
  what,
  consequence,
  fix,
});

export const inWords = ({ level, what, where, consequence, fix }: Finding): string =>
  `${level}: ${what}${where === undefined ? "" : ` (${where})`}: ${consequence}. Fix: ${fix}`;

export interface Verdict {
  /** What was looked at, one line each. */
  readonly facts: readonly string[];
  readonly findings: readonly Finding[];
}
