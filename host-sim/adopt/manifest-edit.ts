/** Changes of an app's manifest that leave every other character of it as it was. */
import { applyEdits, modify, parse, printParseErrorCode } from "jsonc-parser";
import type { FormattingOptions, JSONPath, ParseError } from "jsonc-parser";
import type { Manifest } from "../moddable/manifest";

export class ManifestText {
  #text: string;
  readonly #format: FormattingOptions;

  /** Throws one line where the text is no JSON object. */
  constructor(text: string) {
    const errors: ParseError[] = [];
    const value: unknown = parse(text, errors, { allowTrailingComma: false, disallowComments: false });
    const [first] = errors;
    if (first !== undefined) {
      const line = text.slice(0, first.offset).split("\n").length;
      throw new Error(`is not JSON (line ${line}: ${printParseErrorCode(first.error)})`);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("is no JSON object");
    this.#text = text;
    const indent = /\n([\t ]+)\S/.exec(text)?.[1] ?? "\t";
    this.#format = {
      insertSpaces: !indent.startsWith("\t"),
      tabSize: indent.startsWith("\t") ? 1 : indent.length,
      eol: text.includes("\r\n") ? "\r\n" : "\n",
    };
  }

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
  }

  get value(): Manifest {
    return parse(this.#text) as Manifest;
  }

  /** `undefined` takes the property out. */
  set(path: JSONPath, value: unknown): void {
    this.#text = applyEdits(this.#text, modify(this.#text, path, value, { formattingOptions: this.#format }));
  }

  /** Appends an include to the list at `path`, which may be a single string, or nothing. */
  include(path: JSONPath, added: string): void {
    const before = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], this.value);
    if (before === undefined) return this.set(path, [added]);
    if (!Array.isArray(before)) return this.set(path, [before, added]);
    this.#text = applyEdits(
      this.#text,
      modify(this.#text, [...path, before.length], added, { formattingOptions: this.#format, isArrayInsertion: true }),
    );
  }

  /** Takes an include out again. */
  exclude(path: JSONPath, dropped: string): void {
    const list = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], this.value);
    const index = Array.isArray(list) ? list.indexOf(dropped) : -1;
    if (index >= 0) this.set([...path, index], undefined);
  }
}
