/**
 * How small a patch of the agent's own firmware is: its modules for an ESP32-C3, as xsc and xsl make them and a RISC-V
 * compiler and linker lay them out, before and after a change. XS and ESP-IDF, which are the rest of an image and stay as
 * they are, are not linked here. Needs Debian's gcc-riscv64-unknown-elf and picolibc-riscv64-unknown-elf.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { OWN_SIZE } from "../../bench/deltas/images";
import { expandPart } from "../../host-sim/delta/expand";
import { encodePart } from "../../host-sim/delta/part";
import { buildForChip } from "./chip-build";
import { ROOT, moddable } from "./harness";

const COMPILER = "riscv64-unknown-elf";
const CHIP = ["-march=rv32imc", "-mabi=ilp32", "-Os", "--specs=picolibc.specs", "-DESP32=5", "-DkESP32Version=60000"];
/** Where an ESP32-C3 maps code (soc/soc.h: SOC_IROM_LOW). */
const ADDRESS = "0x42000000";
/** What the SDK's headers name of ESP-IDF's, as far as the linked modules need it. */
const STAND_INS: Readonly<Record<string, string>> = {
  "esp_partition.h": "typedef struct esp_partition esp_partition_t;\n",
  "freertos/FreeRTOS.h": "typedef struct { int a, b; } portMUX_TYPE;\ntypedef void *TaskHandle_t, *QueueHandle_t;\n",
  "freertos/task.h": "",
  "lwip/inet.h": "",
  "lwip/netdb.h": "",
};
const FUNCTION = `
/** Changes of a source file: a function that was not there. */
export const shortHex = (bytes: Uint8Array, most: number): string => {
  if (bytes.length <= most) return toHex(bytes);
  const [first, last] = [bytes.subarray(0, most >> 1), bytes.subarray(bytes.length - (most >> 1))];
  return \`\${toHex(first)} and so on to \${toHex(last)}\`;
};
`;

const folder = mkdtempSync(join(tmpdir(), "xs-ota-own-"));
after(() => rmSync(folder, { recursive: true }));
const project = join(folder, "xs-ota");
for (const name of ["manifest.json", "package.json", "tsconfig.json", "src", "hal", "firmware"])
  cpSync(join(ROOT, name), join(project, name), { recursive: true });
for (const [name, text] of Object.entries(STAND_INS)) {
  const path = join(folder, "stand-ins", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

try {
  execFileSync(`${COMPILER}-gcc`, ["--version"], { stdio: "ignore" });
} catch {
  throw new Error(`no ${COMPILER}-gcc: install Debian's gcc-riscv64-unknown-elf and picolibc-riscv64-unknown-elf`);
}

/** The modules of the firmware as they lie in an image. */
function modules(): Uint8Array {
  const { linked } = buildForChip(project, "esp32/esp32c3", join(folder, "out"));
  const xs = join(moddable(), "xs");
  const includes = [join(folder, "stand-ins"), join(xs, "includes"), join(xs, "platforms", "esp"), join(xs, "sources")];
  const [object, program, bytes] = ["o", "elf", "bin"].map((type) => join(folder, `modules.${type}`)) as [
    string,
    string,
    string,
  ];
  const run = (tool: string, ...args: string[]): void =>
    void execFileSync(`${COMPILER}-${tool}`, args, { cwd: dirname(linked), stdio: ["ignore", "ignore", "inherit"] });
  const platform = ["-DINCLUDE_XSPLATFORM=1", '-DXSPLATFORM="xsPlatform.h"', "-DmxRun=1", "-DmxParse=1"];
  run(
    "gcc",
    ...CHIP,
    "-w",
    ...platform,
    ...includes.flatMap((each) => ["-I", each]),
    "-I",
    ".",
    "-c",
    linked,
    "-o",
    object,
  );
  run(
    "ld",
    "-m",
    "elf32lriscv",
    "--unresolved-symbols=ignore-all",
    `-Ttext=${ADDRESS}`,
    "-e",
    "0",
    object,
    "-o",
    program,
  );
  run("objcopy", "-O", "binary", program, bytes);
  return new Uint8Array(readFileSync(bytes));
}

/** Changes a file of the project for as long as `work` runs. */
function changed<T>(path: string, edit: (text: string) => string, work: () => T): T {
  const whole = join(project, path);
  const before = readFileSync(whole, "utf8");
  const after = edit(before);
  assert.notEqual(after, before, path);
  writeFileSync(whole, after);
  try {
    return work();
  } finally {
    writeFileSync(whole, before);
  }
}

const before = modules();
const percent = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(2)} %`;
const told = (part: number): string =>
  `${part} bytes, ${percent(part, OWN_SIZE)} of an image of ${OWN_SIZE}, ${percent(part, before.length)} of ${before.length} bytes of modules`;

const CHANGES: readonly (readonly [string, string, (text: string) => string, number])[] = [
  [
    "a constant",
    "src/constants.ts",
    (text) => text.replace("CONNECT_TIMEOUT = 10_000", "CONNECT_TIMEOUT = 12_000"),
    0.002,
  ],
  ["a source file", "src/util/hex.ts", (text) => text + FUNCTION, 0.03],
];

for (const [what, path, edit, bar] of CHANGES)
  test(`${what} changes: the patch is at most ${bar * 100} % of the image`, (context) => {
    const file = changed(path, edit, modules);
    assert.notDeepEqual(Buffer.from(file), Buffer.from(before));
    const { bytes } = encodePart(file, before);
    assert.deepEqual(Buffer.from(expandPart(bytes, before, file.length)), Buffer.from(file));
    context.diagnostic(told(bytes.length));
    assert.ok(bytes.length <= bar * OWN_SIZE, told(bytes.length));
  });

test("the modules, compressed as a whole, are at most 53 % of their size", (context) => {
  const { bytes } = encodePart(before, undefined);
  context.diagnostic(percent(bytes.length, before.length));
  assert.ok(bytes.length <= 0.53 * before.length, percent(bytes.length, before.length));
});
