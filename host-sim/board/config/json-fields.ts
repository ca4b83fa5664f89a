/** Reading a JSON object by its keys: each mistake is an `Error` that names the key and never shows a value. */
export class JsonFields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #prefix: string;
  readonly #asked = new Set<string>();
  readonly #children = new Map<string, JsonFields>();

  /** `name` is the object's own key; empty at the top. */
  constructor(value: unknown, name = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Error(`${name === "" ? "" : `${name}: `}a JSON object is expected`);
    this.#values = value as Record<string, unknown>;
    this.#prefix = name === "" ? "" : `${name}.`;
  }

  /** Undefined if there is no such key, here and below; null counts as none. */
  object(key: string): JsonFields | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const child = this.#children.get(key) ?? new JsonFields(value, this.#prefix + key);
    this.#children.set(key, child);
    return child;
  }

  string(key: string): string | undefined {
    const value = this.#take(key);
    if (value !== undefined && typeof value !== "string") throw this.error(key, "a string is expected");
    return value;
  }

  required(key: string): string {
    const value = this.string(key);
    if (value === undefined || value === "") throw this.error(key, "is missing");
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.#take(key);
    if (value !== undefined && typeof value !== "boolean") throw this.error(key, "true or false is expected");
    return value;
  }

  /** A whole number from `least` to `most`. */
  integer(key: string, least: number, most: number): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
      throw this.error(key, `a whole number from ${least} to ${most} is expected`);
    return value;
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      throw this.error(key, "a list of strings is expected");
    return value as string[];
  }

  /** An object of strings, by whatever keys. */
  texts(key: string): { readonly [name: string]: string } | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const valid =
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((text) => typeof text === "string");
    if (!valid) throw this.error(key, "an object of strings is expected");
    return value as { [name: string]: string };
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (!words.includes(value as T))
      throw this.error(key, `${words.map((word) => JSON.stringify(word)).join(" or ")} is expected`);
    return value as T;
  }

  error(key: string, what: string): Error {
    return new Error(`${this.#prefix}${key}: ${what}`);
  }

  /** Keys that nobody asked for, here and in the objects inside. */
  unknown(): string[] {
    const own = Object.keys(this.#values).filter((key) => !this.#asked.has(key));
    return [
      ...own.map((key) => this.#prefix + key),
      ...[...this.#children.values()].flatMap((child) => child.unknown()),
    ];
  }

  #take(key: string): unknown {
    this.#asked.add(key);
    return Object.hasOwn(this.#values, key) ? (this.#values[key] ?? undefined) : undefined;
  }
}
