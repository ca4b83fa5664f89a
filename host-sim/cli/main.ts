/** `xs-ota` as a process. */
import { createProgram } from "./program";

// A reader that closes the pipe early (`| head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

await (await createProgram(process.argv[2])).parseAsync();
