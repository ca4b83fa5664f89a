/** The documents of this repository, and what is in them. */
import { readFileSync, readdirSync } from "node:fs";

export const ROOT = new URL("../../", import.meta.url);
export const GUIDE = "docs/guide/";

const FOLDERS = ["docs", "src", "hal", "host-sim", "tests", "bench", "scripts", "examples", "firmware"];

/** Paths below the root of files that `wanted` names by their ends; none of packages and builds. */
export function filesOf(wanted: RegExp): string[] {
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
  );
  return [...readdirSync(ROOT), ...below]
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => wanted.test(name) && !name.includes("node_modules/"))
    .sort();
}

export function readDocument(name: string): string {
  return readFileSync(new URL(name, ROOT), "utf8");
}

/** Pages of the guide, in their order. */
export const guidePages = (): string[] => filesOf(/^docs\/guide\/\d.*\.md$/);

/** Headings as links name them. */
export function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
