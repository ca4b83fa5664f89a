import { join } from "node:path";
import { DatabaseSync, type DatabaseSyncInstance } from "@photostructure/sqlite";

/** In the folder; it stays empty. */
export const LOCK_FILE = "lock";
/** Tries for a lock that somebody may be about to let go, 100 ms apart. */
const LOCK_TRIES = 10;
/** SQLITE_BUSY (sqlite.org/rescode.html#busy). */
const SQLITE_BUSY = 5;

/**
 * Keeps a second process from using the same folder, also from another container that has it on a volume. Node has no
 * file locks, so SQLite takes one: the system drops it with the process, however that ends, and it knows neither
 * process ids nor networks, which containers have of their own. Resolves to the release; rejects with one line if the
 * folder is in use.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const lock = open(folder);
  try {
    // A process that has just been killed lets go in a moment.
    for (let tries = 1; !take(lock); tries++) {
      if (tries > LOCK_TRIES) throw new Error(`${folder} is in use by another process`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } catch (error) {
    lock.close();
    throw error;
  }
  return () => lock.close();
}

function open(folder: string): DatabaseSyncInstance {
  try {
    return new DatabaseSync(join(folder, LOCK_FILE));
  } catch (error) {
    throw new Error(`${folder} can not be written`, { cause: error });
  }
}

/** False: somebody else has it. */
function take(lock: DatabaseSyncInstance): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
