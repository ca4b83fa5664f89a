/** The command's own streams. What it writes there is its result, or a log that others may stop to read. */
import { fileReason } from "../board/config/file-errors";

let lasting = false;
let printing = 0;

/** For commands that run until they are told to end: what they write is a log, and they go on without it. */
export function outliveOutput(): void {
  lasting = true;
}

/** Writes a result to stdout. Rejects with one line if it can not be written. */
export async function print(text: string): Promise<void> {
  printing++;
  try {
    await new Promise<void>((resolve, reject) =>
      process.stdout.write(text, (error) => (error == null ? resolve() : reject(error))),
    );
  } catch (error) {
    throw new Error(`the output can not be written: ${fileReason(error)}`, { cause: error });
  } finally {
    printing--;
  }
}

/** Called once by the process: an output that fails is no uncaught error. */
export function watchOutput(): void {
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (lasting || printing > 0) return;
    // A reader that closes the pipe early (`| head`) is no error.
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`error: the output can not be written: ${fileReason(error)}\n`);
    process.exit(1);
  });
}
