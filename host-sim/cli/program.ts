/** The command line of `xs-ota`: each command in a file of its own, which is loaded only when it is wanted. */
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
  pack: () => import("./pack"),
  provision: () => import("./provision"),
  publish: () => import("./publish"),
  doctor: () => import("./doctor"),
  adopt: () => import("./adopt"),
  replay: () => import("./replay"),
  bundle: () => import("./bundle"),
};

/** The program with the command `wanted`, or with all where there is no such command. */
export async function createProgram(wanted = ""): Promise<Command> {
  const { version, description } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as Record<"version" | "description", string>;
  const program = new Command("xs-ota")
    .description(description)
    .version(version, "-V, --version", "print the version of xs-ota");
  // `--version` of a command is the firmware's.
  program.enablePositionalOptions();
  for (const name of Object.hasOwn(COMMANDS, wanted) ? [wanted] : Object.keys(COMMANDS))
    (await COMMANDS[name]!()).register(program);
  return program;
}
