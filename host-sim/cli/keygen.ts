import type { Command } from "commander";
import { rmSync } from "node:fs";
import { createKeyFile } from "./signing/keys";
import { orFail } from "./errors";
import { print } from "./output";

/** `xs-ota keygen`. */
export function register(program: Command): void {
  program
    .command("keygen")
    .summary("make a key that signs firmware")
    .description(
      "Makes an ECDSA P-256 key and prints its public half, which belongs into device.json (signingKeys). Keep the file secret.",
    )
    .requiredOption("--out <file>", "where to write the private key; an existing file is never overwritten")
    .action(
      orFail(async ({ out }: { readonly out: string }) => {
        const publicHalf = createKeyFile(out);
        try {
          await print(publicHalf);
        } catch (error) {
          // Nobody has its public half.
          rmSync(out, { force: true });
          throw error;
        }
        process.stderr.write(`${out}: private key, for xs-ota sign; the public half is printed above\n`);
      }),
    );
}
