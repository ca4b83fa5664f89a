/** The fields of a new rollout as filled in, and the request that they make. */
import type { Views } from "../../api";

export type Target = "all" | "version" | "selected" | "names";

export interface Draft {
  /** Id of the package. */
  readonly file: string;
  readonly target: Target;
  /** Present version of the devices, for target "version". */
  readonly version: string;
  /** As typed, for target "names". */
  readonly names: string;
  /** One of WAVES; "": `ownWaves`. */
  readonly waves: string;
  readonly ownWaves: string;
  /** Percent; "": none. */
  readonly limit: string;
  /** Minutes. */
  readonly pause: string;
  /** Minutes; "": none. */
  readonly timeout: string;
  readonly later: boolean;
  /** As a datetime-local field has it. */
  readonly startAt: string;
}

/** For the fields of the form. */
export interface Edit {
  readonly draft: Draft;
  readonly set: (change: Partial<Draft>) => void;
}

export const WAVES = [
  ["100", "Everybody at once"],
  ["10, 100", "Two waves: 10 %, then the rest"],
  ["5, 25, 100", "Three waves: 5 %, 25 %, then the rest"],
  ["1, 5, 20, 50, 100", "Five waves: 1, 5, 20, 50 %, then the rest"],
  ["", "Waves of my own"],
] as const;

export function emptyDraft(
  packages: readonly Views["package"][],
  devices: Views["deviceList"],
  selected: readonly string[],
  first: string | undefined,
): Draft {
  return {
    file: packages.some(({ id }) => id === first) ? first! : packages[0]!.id,
    target: selected.length > 0 ? "selected" : "all",
    version: devices.versions.find((one) => one.version !== "")?.version ?? "",
    names: "",
    waves: WAVES[0][0],
    ownWaves: "5, 25, 100",
    limit: "10",
    pause: "0",
    timeout: "30",
    later: false,
    startAt: "",
  };
}

export function namesIn({ names }: Draft): string[] {
  return items(names);
}

/** NaN for what is no number. */
export function percentagesIn({ waves, ownWaves }: Draft): number[] {
  return items(waves === "" ? ownWaves : waves).map(Number);
}

/** Throws one line for what is missing or malformed. */
export function requestOf(draft: Draft, selected: readonly string[]): Views["createRollout"] {
  const { file, target, limit, pause, timeout, later, startAt } = draft;
  if (target === "names" && namesIn(draft).length === 0) throw new Error("Paste at least one device name.");
  const waves = percentagesIn(draft);
  if (waves.some(Number.isNaN)) throw new Error("Waves are percentages, such as 5, 25, 100.");
  const at = later ? new Date(startAt).getTime() : undefined;
  if (at !== undefined && Number.isNaN(at)) throw new Error("Say when it is to start.");
  return {
    package: file,
    selection: selectionOf(draft, selected),
    waves,
    ...(limit === "" ? {} : { failureLimit: Number(limit) }),
    ...(timeout === "" ? {} : { timeout: Math.round(Number(timeout) * 60) }),
    pause: Math.round(Number(pause) * 60),
    ...(at === undefined ? {} : { startAt: at }),
  };
}

function selectionOf(draft: Draft, selected: readonly string[]): Views["createRollout"]["selection"] {
  switch (draft.target) {
    case "all":
      return { kind: "all" };
    case "version":
      return { kind: "version", version: draft.version };
    case "selected":
      return { kind: "devices", devices: [...selected] };
    case "names":
      return { kind: "names", names: namesIn(draft) };
  }
}

function items(text: string): string[] {
  return text.split(/[\s,;]+/).filter((one) => one !== "");
}
