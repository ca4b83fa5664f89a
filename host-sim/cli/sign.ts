import type { Command } from "commander";
import { readHeader } from "../../src/image/esp-image";
import { exposure } from "../board/config/exposure";
import { readFirmwareFile, signFirmware } from "./signing/firmware-file";
import { readPrivateKey } from "./signing/keys";
import { orFail } from "./errors";
import { writeWhole } from "./whole-file";

/** `xs-ota sign`. */
export function register(program: Command): void {
  program
    .command("sign")
    .summary("sign a firmware file in place")
    .description(
      "Puts a signature at the end of a firmware file, or replaces the one it has. Any platform takes the file unchanged.",
    )
    .requiredOption("--key <file>", "private key, PEM: of xs-ota keygen or of openssl ecparam -name prime256v1 -genkey")
    .argument("<firmware>", "the file")
    .action(orFail((path: string, { key }: { readonly key: string }) => run(path, key)));
}

function run(path: string, keyFile: string): void {
  const key = readPrivateKey(keyFile);
  const exposed = exposure(keyFile);
  if (exposed !== undefined) process.stderr.write(`warning: ${exposed}\n`);
  const file = readFirmwareFile(path);
  if (file.length === 0) throw new Error(`${path} is empty`);
  const signed = signFirmware(file, key);
  writeWhole(path, signed);
  process.stderr.write(
    `${path}: signed, ${signed.length} bytes${isImage(file) ? "" : " (no ESP image: only a module installer takes it)"}\n`,
  );
}

function isImage(file: Uint8Array): boolean {
  try {
    return readHeader(file).segments > 0;
  } catch {
    return false;
  }
}
