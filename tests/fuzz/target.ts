/** A target of the fuzzer, and helpers for the tables of targets. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Tokens of the format. */
  readonly tokens: readonly Uint8Array[];
  run(input: Uint8Array): void;
}

export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
export const texts = (...values: readonly string[]): Uint8Array[] => values.map(text);
const ENGINE_LIMIT = /call stack|Invalid (typed )?array length|Invalid string length|Invalid count value/;

/** Runs `parse`, which may refuse with an Error that has a message. Rethrows anything else. */
export function mayRefuse(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (
      !(error instanceof Error) ||
      error.message === "" ||
      error instanceof TypeError ||
      ENGINE_LIMIT.test(error.message)
    )
      throw error;
  }
}

/** Tokens of JSON, and keys of offers. */
export const JSON_TOKENS = texts(
  '{"',
  '":',
  ",",
  "null",
  "true",
  "[",
  "]",
  "{",
  "}",
  "-1",
  "1e308",
  "99999999999999999999",
  '"version"',
  '"url"',
  '"md5sum"',
  '"file_size"',
  '"type"',
  "\\u0000",
  "\\ud800",
);
