import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from "@photostructure/sqlite";
import { fileReason } from "../../../board/config/file-errors";
import { lockFolder } from "../../../board/folder-lock";
import { Reserve } from "./reserve";
import { isDiskFull } from "./store-error";

/** In the state folder. */
export const DATABASE_FILE = "cloud.db";
/** In the state folder. */
const RESERVE_FILE = "reserve";

/** What a column may hold. */
export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

/**
 * Each step takes the database from the version that is its index to the next one; released steps are never edited.
 * Times are milliseconds since 1970. `identity` holds a device's secret, which the cloud must know to check it: the
 * file is for its owner only.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE devices(
     id TEXT PRIMARY KEY, platform TEXT NOT NULL, identity TEXT NOT NULL, version TEXT, last_seen INTEGER, online INTEGER NOT NULL) STRICT;
   CREATE TABLE tasks(
     id INTEGER PRIMARY KEY, device TEXT NOT NULL, package TEXT NOT NULL, rollout TEXT, version TEXT NOT NULL, status TEXT NOT NULL,
     state INTEGER NOT NULL, percent REAL, code INTEGER, message TEXT, created_at INTEGER NOT NULL, pushed_at INTEGER,
     finished_at INTEGER, pushes INTEGER NOT NULL, fields TEXT) STRICT;
   CREATE INDEX tasks_of_device ON tasks(device, id);
   CREATE TABLE rollouts(id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL) STRICT;
   CREATE TABLE members(
     position INTEGER PRIMARY KEY, rollout INTEGER NOT NULL REFERENCES rollouts(id) ON DELETE CASCADE, device TEXT NOT NULL,
     body TEXT NOT NULL, UNIQUE(rollout, device)) STRICT;
   CREATE TABLE messages(
     id INTEGER PRIMARY KEY, device TEXT NOT NULL, at INTEGER NOT NULL, direction TEXT NOT NULL, topic TEXT NOT NULL,
     payload TEXT NOT NULL, qos INTEGER NOT NULL, dup INTEGER NOT NULL) STRICT;
   CREATE INDEX messages_of_device ON messages(device, id);
   CREATE TABLE sessions(hash TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
   CREATE TABLE boards(name TEXT PRIMARY KEY, device TEXT NOT NULL, body TEXT NOT NULL) STRICT;`,
  `CREATE TABLE recordings(
     id INTEGER PRIMARY KEY, device TEXT NOT NULL, at INTEGER NOT NULL, reference TEXT NOT NULL, base64 TEXT NOT NULL) STRICT;
   CREATE INDEX recordings_of_device ON recordings(device, id);`,
];

/**
 * The cloud's state in one SQLite file. Write-ahead log without waiting for the disk: a transaction that was committed
 * is there after the process was killed; after the machine itself lost its power, the last ones may be missing, but
 * what is there is whole. Held by one process at a time.
 *
 * On a full disk a write lets the reserve go and is tried once more.
 */
export class StateDatabase {
  readonly #database: DatabaseSyncInstance;
  readonly #statements = new Map<string, StatementSyncInstance>();
  readonly #reserve: Reserve;
  readonly #unlock: () => void;

  private constructor(database: DatabaseSyncInstance, reserve: Reserve, unlock: () => void) {
    this.#database = database;
    this.#reserve = reserve;
    this.#unlock = unlock;
  }

  /** Makes folder and file where they are not there. Rejects with one line if they can not be used. */
  static async open(folder: string): Promise<StateDatabase> {
    const path = join(folder, DATABASE_FILE);
    let unlock: (() => void) | undefined;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      // The lock of the database's own file would last until the last statement is collected as garbage.
      unlock = await lockFolder(folder);
      const reserve = new Reserve(join(folder, RESERVE_FILE));
      const database = withReserve(reserve, () => openDatabase(path));
      reserve.take();
      return new StateDatabase(database, reserve, unlock);
    } catch (error) {
      unlock?.();
      throw new Error(`the state in ${folder} can not be used: ${reason(error as Error)}`, { cause: error });
    }
  }

  run(sql: string, ...values: Value[]): void {
    const write = (): unknown => this.#prepare(sql).run(...values);
    // A transaction is repeated as a whole.
    if (this.#database.isTransaction) write();
    else withReserve(this.#reserve, write);
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** All or nothing; not to be nested. `work` may be called twice. */
  transaction(work: () => void): void {
    withReserve(this.#reserve, () => this.#transaction(work));
  }

  /** Takes back the reserve that a full disk may have cost. False: the disk is full. */
  hasRoom(): boolean {
    return this.#reserve.take();
  }

  setting(key: string): string | undefined {
    const [row] = this.all("SELECT value FROM settings WHERE key = ?", key);
    return row === undefined ? undefined : String(row["value"]);
  }

  /** The value stored under that key; made and stored at the first call. */
  settingOr(key: string, make: () => string): string {
    const stored = this.setting(key);
    if (stored !== undefined) return stored;
    const value = make();
    this.run("INSERT INTO settings(key, value) VALUES(?, ?)", key, value);
    return value;
  }

  setSetting(key: string, value: string): void {
    this.run(
      "INSERT INTO settings(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
    this.#unlock();
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      // A full disk ends the transaction by itself (sqlite.org/lang_transaction.html, section 3).
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #prepare(sql: string): StatementSyncInstance {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}

function withReserve<T>(reserve: Reserve, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isDiskFull(error) || !reserve.release()) throw error;
    return work();
  }
}

function openDatabase(path: string): DatabaseSyncInstance {
  const database = new DatabaseSync(path);
  try {
    chmodSync(path, 0o600);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: DatabaseSyncInstance): void {
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > MIGRATIONS.length) throw new Error("it was written by a newer version of xs-ota");
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index >= version) database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function reason(error: Error): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (isDiskFull(error)) return "the disk is full";
  if (/in use by another process/.test(message)) return "another cloud is using it";
  if (/not a database/i.test(message)) return `${DATABASE_FILE} is not a database`;
  return code?.startsWith("E") === true && code !== "ERR_SQLITE_ERROR" ? fileReason(error) : message;
}
