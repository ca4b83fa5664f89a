/** Size of the chip's decoder, by the compilers that are installed. tinfl, which a chip has in ROM, is not part of it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SECTOR } from "../../src/constants";
import { ZLIB } from "../../tests/esp32/native-chip";
import { table } from "../output/table";

const SOURCE = fileURLToPath(new URL("../../hal/moddable/expand", import.meta.url));
/** The instructions of an ESP32-C3, and those of this machine. */
const TARGETS = [
  {
    name: "RISC-V, rv32imc",
    tools: "riscv64-unknown-elf-",
    flags: ["-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"],
  },
  { name: "this machine", tools: "", flags: [] },
] as const;

export interface DecoderSize {
  readonly target: string;
  readonly compiler: string;
  /** Bytes of code and constants; of the state of one expansion, tinfl's and the window among them. */
  readonly code: number;
  readonly state: number;
}

export const CODE_BAR = 3 * 1024;
export const RAM_BAR = 24 * 1024;

/** Of the system's heap while a block is expanded: the state and the sector that is made. */
export const ramOf = ({ state }: DecoderSize): number => state + SECTOR;

export function decoderSizes(): DecoderSize[] {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-decoder-"));
  try {
    return TARGETS.filter(isInstalled).map(({ name, tools, flags }) => sizesOf(name, tools, flags, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The compiler, and the headers that its flags name. */
function isInstalled({ tools, flags }: (typeof TARGETS)[number]): boolean {
  try {
    execFileSync(`${tools}gcc`, [...flags, "-E", "-x", "c", "-"], { input: "#include <string.h>\n", stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

function sizesOf(target: string, tools: string, flags: readonly string[], folder: string): DecoderSize {
  const run = (tool: string, ...args: string[]): string =>
    execFileSync(`${tools}${tool}`, args, { stdio: ["ignore", "pipe", "inherit"] }).toString();
  const object = join(folder, "expand.o");
  const compile = (source: string): string =>
    run("gcc", ...flags, "-Os", "-w", "-I", SOURCE, "-I", ZLIB, "-c", source, "-o", object);
  compile(join(SOURCE, "expand.c"));
  const code = Number(/^\s*(\d+)/m.exec(run("size", object).split("\n")[1]!)![1]);
  const probe = join(folder, "state.c");
  // The name of the array stands beside its size in the table of symbols.
  writeFileSync(probe, '#include "expand.h"\nchar state[sizeof(expand_t)] = {1};\n');
  compile(probe);
  const state = Number.parseInt(/^\S+ (\S+) D state$/m.exec(run("nm", "-S", object))![1]!, 16);
  return { target, compiler: run("gcc", "--version").split("\n")[0]!, code, state };
}

export function decoderTable(sizes: readonly DecoderSize[]): string {
  return table(
    ["target", "compiler, -Os", "code and constants", "state, with tinfl's and the window", "with a sector"],
    sizes.map((size) => [size.target, size.compiler, size.code, size.state, ramOf(size)]),
  );
}
