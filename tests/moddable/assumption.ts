/** One thing that this project takes for granted about code that is not its own, with what tells whether it is so. */
export interface Assumption {
  /** What is taken for granted. It is the name of the test, and what a failure says. */
  readonly sentence: string;
  /** The file of this repository that goes by it. */
  readonly reliedOnBy: string;
  /** Where it is decided, below the root of the foreign code. */
  readonly file: string;
  readonly holds: (source: string) => boolean;
  /** A change to the file after which it no longer holds: proof that `holds` looks at the right place. */
  readonly breaking: readonly [from: string | RegExp, to: string];
}
