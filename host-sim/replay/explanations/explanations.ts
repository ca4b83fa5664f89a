/** What the texts of a device mean, each in one sentence with what to do. */
import { BROKER, TRANSPORT } from "./connections";
import { DEVICE, LAST, TRIAL } from "./device";
import { FILE_SERVER } from "./file-server";
import type { Row } from "./row";

export interface Explanation {
  /** Short, for tables and comparison. */
  readonly name: string;
  readonly sentence: string;
}

const NETWORK: readonly Row[] = [...BROKER, ...FILE_SERVER, ...TRANSPORT];
const ROWS: readonly Row[] = [...TRIAL, ...NETWORK, ...DEVICE, ...LAST];

/** All of them, but for what firmware on trial meets alone. */
export const EXPLANATIONS: readonly Explanation[] = ROWS.map(([name, , sentence]) => ({ name, sentence }));

/** Of a text of the device; undefined: it says nothing that is known. */
export const explanationOf = (text: string): Explanation | undefined => {
  const trial = find(TRIAL, text);
  if (!text.startsWith("trial: ") || (trial !== undefined && trial.name !== "trial-offline")) return find(ROWS, text);
  const why = find(NETWORK, text.slice("trial: ".length).replace(/; \S+ reached it.*$/, ""));
  return why === undefined ? find(ROWS, text) : inTrial(why);
};

/** By its name. */
export const explanationNamed = (name: string): Explanation | undefined => {
  const own = EXPLANATIONS.find((each) => each.name === name);
  if (own !== undefined) return own;
  const why = name.startsWith(IN_TRIAL) ? explanationNamed(name.slice(IN_TRIAL.length)) : undefined;
  return why && inTrial(why);
};

const IN_TRIAL = "trial, ";
const inTrial = ({ name, sentence }: Explanation): Explanation => ({
  name: `${IN_TRIAL}${name}`,
  sentence: `only the new firmware meets this: ${sentence}`,
});

const find = (rows: readonly Row[], text: string): Explanation | undefined => {
  const row = rows.find(([, words]) => words.test(text));
  return row && { name: row[0], sentence: row[2] };
};
