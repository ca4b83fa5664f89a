import type { Command } from "commander";
import { readFirmware } from "../../src/image/firmware-block";
import { compareVersions } from "../../src/job/versions";
import { exposure } from "../board/config/exposure";
import { imageNote, readFirmwareFile, signFirmware } from "./signing/firmware-file";
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
  process.stderr.write(`${path}: signed, ${signed.length} bytes${imageNote(file)}\n`);
  const version = unguardedVersion(file);
  if (version !== undefined)
    process.stderr.write(
      `warning: version ${JSON.stringify(version)} has no order and the security floor is 0, so an older signed file can take its place: set securityFloor (docs/guide/7-security.md)\n`,
    );
}

/** The version of an image that nothing keeps from being replaced by an older one. */
function unguardedVersion(file: Uint8Array): string | undefined {
  try {
    const { version, securityFloor } = readFirmware(file, true);
    const ordered = ["0", "2000"].some((other) => compareVersions(version, other) !== "different");
    return ordered || securityFloor > 0 ? undefined : version;
  } catch {
    return undefined;
  }
}
