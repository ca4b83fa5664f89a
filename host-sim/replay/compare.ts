/** Where two recordings part. */
import type { JobEffect } from "../../src/job/effects";
import type { Recording } from "./read-recording";
import { replay } from "./replay";
import type { ReplayedStep } from "./replay";
import { effectOf } from "./transcript";

/** Lines; the last one says in one sentence where they part. */
export const compare = (a: Recording, b: Recording): string[] => {
  const [left, right] = [a, b].map(({ run }) => replay(run));
  const doubts = [
    [a, left!.doubt],
    [b, right!.doubt],
  ] as const;
  const told = doubts.flatMap(([{ reference }, doubt]) => (doubt === undefined ? [] : [`${reference}: ${doubt}`]));
  const length = Math.max(left!.steps.length, right!.steps.length);
  for (let index = 0; index < length; index++) {
    const [one, other] = [left!.steps[index], right!.steps[index]];
    if (textOf(one) === textOf(other)) continue;
    return [
      ...told,
      `${a.reference}: ${textOf(one)}`,
      `${b.reference}: ${textOf(other)}`,
      `they part at step ${index + 1} of ${left!.steps.length} and ${right!.steps.length}`,
    ];
  }
  return [...told, `they are the same in all ${length} steps`];
};

/** Without times. */
const textOf = (step: ReplayedStep | undefined): string => {
  if (step === undefined) return "(has ended)";
  const { event, before, after, effects } = step;
  const fields = JSON.stringify(event, (_name, value: unknown) =>
    value instanceof Uint8Array ? `${value.length} bytes` : value,
  );
  // JSON has no control characters.
  return `[${before} -> ${after}] ${fields} ${effects.map((effect: JobEffect) => effectOf(effect)).join(", ")}`;
};
