/** The merged image of one board against `esptool merge-bin`, with the offsets of provision's own command. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "../../hal/model-chip/build-image";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

type Provision = (...args: readonly string[]) => Promise<void>;

/** Undefined where esptool is not there. */
export async function mergedAlike(python: string, folder: string, provision: Provision): Promise<boolean | undefined> {
  if (spawnSync(python, ["-m", "esptool", "version"]).status !== 0) return undefined;
  const build = join(folder, "build");
  mkdirSync(build);
  const image = (product: string, size: number): Uint8Array =>
    buildImage({ chip: 5, version: "1.0.0", product, payload: Buffer.from(product), size });
  writeFileSync(join(build, "bootloader.bin"), image("bootloader", 20_000));
  writeFileSync(join(build, "partition-table.bin"), partitionTableFor(4 << 20).toBinary());
  writeFileSync(join(build, "xs_esp32.bin"), image("thermostat", 700_000));
  const list = join(folder, "one.csv");
  writeFileSync(list, "deviceName,deviceSecret\nline-1,3ZxkQmVyVGVzdFZlY3Rvcg==\n");
  const common = ["--set", "platform=tencent", "--set", "productId=A1B2C3D4E5", "--build", build];
  const [parts, merged] = [join(folder, "parts"), join(folder, "merged")];
  await provision(list, "--out", parts, ...common);
  await provision(list, "--out", merged, ...common, "--merge");
  const command = readFileSync(join(parts, "commands.txt"), "utf8").trim();
  const pieces = command.slice(command.indexOf("0x")).split(" ");
  const theirs = join(folder, "theirs.bin");
  const keep = ["--flash-mode", "keep", "--flash-freq", "keep", "--flash-size", "keep"];
  const { status, stderr, stdout } = spawnSync(
    python,
    ["-m", "esptool", "--chip", "esp32c3", "merge-bin", "-o", theirs, ...keep, ...pieces],
    { cwd: parts, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`esptool merge-bin fails: ${`${stdout}${stderr}`.trim().split("\n").at(-1)}`);
  return readFileSync(theirs).equals(readFileSync(join(merged, "line-1.flash.bin")));
}
