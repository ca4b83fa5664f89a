import type { Command } from "commander";
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { readFirmwareFile } from "./signing/firmware-file";
import { readPrivateKey } from "./signing/keys";
import { secondsArgument } from "./arguments";
import { orFail } from "./errors";
import { pack } from "../delta/pack";
import { exposure } from "../board/config/exposure";
import { fileReason } from "../board/config/file-errors";
import { TRAILER, hasTrailer } from "../../src/signature/trailer";

interface PackFlags {
  readonly to: string;
  readonly from: readonly string[];
  readonly out: string;
  readonly key?: string;
  readonly seconds: number;
}

/** `xs-ota pack`. */
export function register(program: Command): void {
  program
    .command("pack")
    .summary("make one small file that updates a whole fleet")
    .description(
      "Makes a container of a new image: a patch from each of several older images, and the whole image, compressed. " +
        "Any platform takes the container in place of the image; a device uses the part that fits what it runs. " +
        "The same arguments give the same bytes.",
    )
    .requiredOption("--to <file>", "the new image, as it would be uploaded (signed, where devices ask for that)")
    .option("--from <file...>", "older images that devices run: up to 31", [])
    .requiredOption("--out <file>", "where to write it")
    .option("--key <file>", "private key: devices with signing keys take signed containers only")
    .option("--seconds <n>", "longest comparison with one older image", secondsArgument, 120)
    .action(orFail(run));
}

async function run({ to, from, out, key, seconds }: PackFlags): Promise<void> {
  if (key !== undefined) {
    const exposed = exposure(key);
    if (exposed !== undefined) process.stderr.write(`warning: ${exposed}\n`);
  }
  const image = readFirmwareFile(to);
  if (key !== undefined && !hasTrailer(image.subarray(-TRAILER)))
    process.stderr.write(`warning: ${to} is not signed: devices with signing keys refuse what the container makes\n`);
  const { bytes, container, left } = await pack({
    to: image,
    from: from.map(readFirmwareFile),
    seconds,
    ...(key === undefined ? {} : { key: readPrivateKey(key) }),
    progress: (index, count, what) => process.stderr.write(`part ${index} of ${count}: ${what}\n`),
  });
  for (const why of left) process.stderr.write(`no patch from ${why}\n`);
  try {
    writeFileSync(out, bytes);
  } catch (error) {
    throw new Error(`${out} can not be written: ${fileReason(error)}`, { cause: error });
  }
  process.stderr.write(`${out}: ${container.version}, ${bytes.length} bytes; ${basename(to)} has ${image.length}\n`);
  const parts = container.parts.map(({ base, length }) => ({ from: base?.version ?? null, size: length }));
  process.stdout.write(`${JSON.stringify({ size: bytes.length, full: image.length, parts })}\n`);
}
