import type { Command } from "commander";
import { readFirmwareFile, refusalOfFile } from "./signing/firmware-file";
import { readKeyPoint } from "./signing/keys";
import { orFail } from "./errors";

/** `xs-ota verify`. */
export function register(program: Command): void {
  program
    .command("verify")
    .summary("check who signed a firmware file")
    .description("Exits with 0 only if the file is signed by that key and has not changed since.")
    .requiredOption("--key <file>", "public key, PEM (a private key serves as well)")
    .argument("<firmware>", "the file")
    .action(
      orFail((path: string, { key }: { readonly key: string }) => {
        const refusal = refusalOfFile(readFirmwareFile(path), readKeyPoint(key));
        if (refusal !== undefined) throw new Error(`${path}: ${refusal}`);
        process.stderr.write(`${path}: signed by this key\n`);
      }),
    );
}
