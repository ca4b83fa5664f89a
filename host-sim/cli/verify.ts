import type { Command } from "commander";
import { imageNote, readFirmwareFile, refusalOfFile, unsigned } from "./signing/firmware-file";
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
        const file = readFirmwareFile(path);
        const refusal = refusalOfFile(file, readKeyPoint(key));
        // Another kind of file has no signature, and that is not what is wrong with it.
        const note = unsigned(file) === file ? imageNote(file) : "";
        if (refusal !== undefined) throw new Error(`${path}: ${refusal}${note}`);
        process.stderr.write(`${path}: signed by this key${imageNote(file)}\n`);
      }),
    );
}
