import { createHash } from "node:crypto";
import { statSync, unlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Tries for a lock that somebody may be about to let go, 100 ms apart. */
const LOCK_TRIES = 10;

/**
 * Keeps a second process from using the same folder. The lock is a listening local socket named after the folder's
 * inode: the system drops it with the process, however that ends. Linux has such sockets without a file; elsewhere the
 * file of a killed process is recognised by nobody listening and taken over. Resolves to the release; rejects with one
 * line if the folder is in use.
 */
export async function lockFolder(folder: string, platform: NodeJS.Platform = process.platform): Promise<() => void> {
  const { dev, ino } = statSync(folder);
  const name = `xs-ota-${createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 24)}`;
  const path = platform === "linux" ? `\0${name}` : join(tmpdir(), `${name}.lock`);
  let first = await listen(path);
  // A process that has just been killed, or one that has removed a folder whose inode is this one's now, lets go in a
  // moment.
  const tries = platform === "linux" ? LOCK_TRIES : 0;
  for (let attempt = 0; first === undefined && attempt < tries; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    first = await listen(path);
  }
  const server = first ?? (platform !== "linux" && !(await answers(path)) ? await takeOver(path) : undefined);
  if (server === undefined) throw new Error(`${folder} is in use by another process`);
  server.unref();
  return () => void server.close();
}

/** Undefined if somebody else has it. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function takeOver(path: string): Promise<Server | undefined> {
  unlinkSync(path);
  return listen(path);
}
