/** What texts of a device mean. The first row whose pattern a text has explains it. */
export type Row = readonly [
  /** Short, for tables and comparison. */
  name: string,
  text: RegExp,
  /** What is wrong, and what to do. */
  sentence: string,
];
