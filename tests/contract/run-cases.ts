import { test } from "node:test";
import type { Case } from "./cases";

/** `name`: which implementation. */
export function runCases(name: string, cases: readonly Case[]): void {
  for (const { title, run } of cases) test(`${name}: ${title}`, run);
}
