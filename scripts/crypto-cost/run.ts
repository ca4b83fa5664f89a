/**
 * What hashing and verifying cost on XS: bytecodes and time on the host's engine, and with the Moddable SDK (MODDABLE
 * set, Linux) time and memory of the SDK's own native digests and arithmetic beside the portable ones. Prints the
 * tables of docs/SECURITY.md.
 *
 *     npm run crypto-cost
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createHash } from "node:crypto";
import { build } from "esbuild";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { PARTS } from "./parts";
import type { Part } from "./parts";
import { measureOnSdk } from "./sdk";
import type { SdkCost } from "./sdk";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const VECTORS = new URL("../../tests/signature/vectors/", import.meta.url);
/** Digested in one turn; cost is linear in it. */
const KIB = 64;
const REPEATS = 7;

export interface Cost {
  readonly bytecodes: number;
  /** Milliseconds, the quickest of some. */
  readonly time: number;
}

const signed = {
  key: readFileSync(new URL("public.pem", VECTORS), "utf8"),
  hash: [
    ...createHash("sha256")
      .update(readFileSync(new URL("firmware.bin", VECTORS)))
      .digest(),
  ],
  trailer: [...readFileSync(new URL("der-71.trailer", VECTORS))],
};

/** Bundles an entry of this folder for XS. */
async function bundle(entry: string, format: "iife" | "esm"): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${FOLDER}${entry}`],
    bundle: true,
    write: false,
    format,
    platform: "neutral",
    mainFields: ["module", "main"],
    // Without static fields: XS 13 finds a class not initialized there that refers to itself.
    target: "es2021",
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

async function measureOnXsnap(): Promise<Map<Part, Cost>> {
  const printed: string[] = [];
  const engine = createXsEngine({ answer: () => new Uint8Array(0), onOutput: (line) => printed.push(line) });
  try {
    const loaded = await engine.run(`var SIGNED=${JSON.stringify(signed)};\n${await bundle("xs-script.ts", "iife")}`);
    if (loaded === undefined)
      throw new Error(`the script does not load: ${(await engine.ended).message} ${printed.join(" ")}`);
    const costs = new Map<Part, Cost>();
    for (const [index, part] of (Object.keys(PARTS) as Part[]).entries()) {
      let [bytecodes, time] = [0, Infinity];
      for (let n = 0; n < REPEATS; n++) {
        const start = performance.now();
        const meter = await engine.turn(Uint8Array.of(index, KIB));
        if (meter === undefined) throw new Error(`${part}: ${(await engine.ended).message} ${printed.join(" ")}`);
        time = Math.min(time, performance.now() - start);
        // The first time: caches are filled then, and a device verifies once.
        if (n === 0) bytecodes = meter.compute;
      }
      costs.set(part, { bytecodes, time });
    }
    const empty = costs.get("nothing")!;
    return new Map(
      [...costs].map(([part, { bytecodes, time }]) => [
        part,
        { bytecodes: bytecodes - empty.bytecodes, time: Math.max(0, time - empty.time) },
      ]),
    );
  } finally {
    engine.stop();
  }
}

const number = (value: number, digits = 0): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });
const perKib = (part: Part): boolean => /^(pass|js-md5|js-sha)/.test(part);

function table(xsnap: ReadonlyMap<Part, Cost>, sdk: ReadonlyMap<Part, SdkCost> | undefined): string {
  const rows = (Object.keys(PARTS) as Part[]).slice(1).map((part) => {
    const { bytecodes, time } = xsnap.get(part)!;
    const divisor = perKib(part) ? KIB : 1;
    const own = sdk?.get(part);
    const cells = [
      PARTS[part],
      perKib(part) ? "KiB" : "whole",
      part === "verify" ? "-" : number(bytecodes / divisor),
      part === "verify" ? "-" : number(time / divisor, 3),
    ];
    if (own !== undefined)
      cells.push(number(own.time / divisor, 3), number(own.slots), number(own.chunks), number(own.kept));
    return `| ${cells.join(" | ")} |`;
  });
  const head = [
    "work",
    "per",
    "bytecodes",
    "ms, host engine",
    ...(sdk === undefined ? [] : ["ms, SDK", `slots made (${KIB} KiB or whole)`, "bytes of chunks made", "bytes kept"]),
  ];
  return [
    `| ${head.join(" | ")} |`,
    `|---|---|${head
      .slice(2)
      .map(() => "---:")
      .join("|")}|`,
    ...rows,
  ].join("\n");
}

const xsnap = await measureOnXsnap();
const sdk =
  process.env["MODDABLE"] === undefined || process.platform !== "linux"
    ? undefined
    : await measureOnSdk(await bundle("portable.ts", "esm"), signed, KIB);
console.log(table(xsnap, sdk));
if (sdk === undefined) console.error("MODDABLE is not set: nothing of the SDK's own engine");
