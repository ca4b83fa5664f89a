/** `xs-ota` as a process. */
import { watchOutput } from "./output";
import { createProgram } from "./program";

watchOutput();
await (await createProgram(process.argv[2])).parseAsync();
