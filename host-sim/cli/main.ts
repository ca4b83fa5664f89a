/** `xs-ota`: each command in a file of its own, which is loaded only when it is wanted. */
import { Command } from "commander";
import { readFileSync } from "node:fs";

const COMMANDS: Readonly<Record<string, () => Promise<{ register(program: Command): void }>>> = {
  image: () => import("./image"),
  device: () => import("./device"),
  inspect: () => import("./inspect"),
  cloud: () => import("./cloud"),
  fleet: () => import("./fleet"),
  weaknet: () => import("./weaknet"),
  keygen: () => import("./keygen"),
  sign: () => import("./sign"),
  verify: () => import("./verify"),
};

const { version, description } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as Record<string, string>;

// A reader that goes away (`| head`) is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

const program = new Command("xs-ota")
  .description(description!)
  .version(version!, "-V, --version", "print the version of xs-ota");
// `--version` of a command is the firmware's.
program.enablePositionalOptions();
const [, , wanted = ""] = process.argv;
for (const name of Object.hasOwn(COMMANDS, wanted) ? [wanted] : Object.keys(COMMANDS))
  (await COMMANDS[name]!()).register(program);
await program.parseAsync();
