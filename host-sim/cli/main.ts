/** `xs-ota`: each command in a file of its own. */
import { Command } from "commander";
import { readFileSync } from "node:fs";
import { register as cloud } from "./cloud";
import { register as device } from "./device";
import { register as image } from "./image";
import { register as inspect } from "./inspect";

const { version, description } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as Record<string, string>;

// A reader that goes away (`| head`) is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

const program = new Command("xs-ota").description(description!).version(version!, "-V, --version", "print the version of xs-ota");
// `--version` of a command is the firmware's.
program.enablePositionalOptions();
for (const register of [image, device, inspect, cloud]) register(program);
await program.parseAsync();
