import { Option } from "commander";
import type { Command } from "commander";
import { FAULTS } from "../board/firmware/bundle";
import type { Fault } from "../board/firmware/bundle";
import { SAMPLE_SIZE, sampleImage } from "../board/firmware/sample-image";
import { bytesArgument, versionArgument } from "./arguments";
import { orFail } from "./errors";
import { writeWhole } from "./whole-file";

interface ImageFlags {
  readonly version: string;
  readonly out: string;
  readonly size?: number;
  readonly fault?: Fault;
}

/** `xs-ota image`. */
export function register(program: Command): void {
  program
    .command("image")
    .summary("make a firmware image for the simulated board")
    .description(
      "Makes an application image in Espressif's format whose payload is this agent as one JavaScript bundle. " +
        "The same arguments give the same bytes.",
    )
    .requiredOption("--version <version>", "version of the firmware, in its image and in its code", versionArgument)
    .requiredOption("--out <file>", "where to write it")
    .option(
      "--size <bytes>",
      `exact length of the file, filled up inside the image (default: ${SAMPLE_SIZE})`,
      bytesArgument,
    )
    .addOption(new Option("--fault <kind>", "firmware that is made to fail in its trial").choices(FAULTS))
    .action(orFail(run));
}

async function run({ version, out, size, fault }: ImageFlags): Promise<void> {
  const image = await sampleImage(version, fault, size);
  writeWhole(out, image);
  process.stderr.write(
    `${out}: firmware ${version}${fault === undefined ? "" : ` that is made to fail (${fault})`}, ${image.length} bytes\n`,
  );
}
