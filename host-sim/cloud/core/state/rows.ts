/** The cloud's snapshots as rows and back. */
import type { LoggedMessage } from "../devices/devices";
import type { Member, Rollout } from "../rollouts/rollout";
import type { Task } from "../devices/tasks";
import type { Row, StateDatabase, Value } from "./database";

export interface KeptDevice {
  readonly id: string;
  readonly platform: string;
  readonly identity: unknown;
  readonly version: string | undefined;
  readonly lastSeen: number | undefined;
  readonly online: boolean;
}

export function saveDevice(database: StateDatabase, device: KeptDevice): void {
  const { id, platform, identity, version, lastSeen, online } = device;
  database.run(
    `INSERT INTO devices(id, platform, identity, version, last_seen, online) VALUES(?, ?, ?, ?, ?, ?)
     ON CONFLICT(id) DO UPDATE SET version = excluded.version, last_seen = excluded.last_seen, online = excluded.online`,
    id,
    platform,
    JSON.stringify(identity),
    version ?? null,
    lastSeen ?? null,
    online ? 1 : 0,
  );
}

export function loadDevices(database: StateDatabase): KeptDevice[] {
  return database.all("SELECT * FROM devices ORDER BY rowid").map((row) => ({
    id: text(row, "id"),
    platform: text(row, "platform"),
    identity: JSON.parse(text(row, "identity")) as unknown,
    version: optionalText(row, "version"),
    lastSeen: optionalNumber(row, "last_seen"),
    online: row["online"] === 1,
  }));
}

export function deleteDevice(database: StateDatabase, id: string): void {
  database.run("DELETE FROM devices WHERE id = ?", id);
  database.run("DELETE FROM tasks WHERE device = ?", id);
  database.run("DELETE FROM messages WHERE device = ?", id);
}

export function saveTask(database: StateDatabase, task: Task): void {
  const {
    id,
    device,
    rollout,
    version,
    status,
    state,
    percent,
    code,
    message,
    createdAt,
    pushedAt,
    finishedAt,
    pushes,
    fields,
  } = task;
  const values: Value[] = [
    Number(id),
    device,
    task.package,
    rollout ?? null,
    version,
    status,
    state,
    percent ?? null,
    code ?? null,
    message ?? null,
    createdAt,
    pushedAt ?? null,
    finishedAt ?? null,
    pushes,
    fields === undefined ? null : JSON.stringify(fields),
  ];
  database.run(`INSERT OR REPLACE INTO tasks VALUES(${values.map(() => "?").join(", ")})`, ...values);
}

/** Keeps the newest tasks of a device. */
export function pruneTasks(database: StateDatabase, device: string, keep: number): void {
  database.run(
    "DELETE FROM tasks WHERE device = ?1 AND id <= (SELECT id FROM tasks WHERE device = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    device,
    keep,
  );
}

/** Oldest first. */
export function loadTasks(database: StateDatabase): Task[] {
  return database.all("SELECT * FROM tasks ORDER BY id").map((row) => {
    const fields = optionalText(row, "fields");
    return {
      id: String(row["id"]),
      device: text(row, "device"),
      package: text(row, "package"),
      ...given("rollout", optionalText(row, "rollout")),
      version: text(row, "version"),
      status: text(row, "status") as Task["status"],
      state: Number(row["state"]),
      ...given("percent", optionalNumber(row, "percent")),
      ...given("code", optionalNumber(row, "code")),
      ...given("message", optionalText(row, "message")),
      createdAt: Number(row["created_at"]),
      ...given("pushedAt", optionalNumber(row, "pushed_at")),
      ...given("finishedAt", optionalNumber(row, "finished_at")),
      pushes: Number(row["pushes"]),
      ...given("fields", fields === undefined ? undefined : (JSON.parse(fields) as Record<string, unknown>)),
    };
  });
}

export function saveRollout(database: StateDatabase, rollout: Rollout): void {
  database.run(
    "INSERT INTO rollouts(id, body) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET body = excluded.body",
    Number(rollout.id),
    JSON.stringify(rollout),
  );
}

export function deleteRollout(database: StateDatabase, id: string): void {
  database.run("DELETE FROM rollouts WHERE id = ?", Number(id));
}

/** Highest id that a rollout ever had. */
export function lastRollout(database: StateDatabase): number {
  return Number(database.all("SELECT seq FROM sqlite_sequence WHERE name = 'rollouts'")[0]?.["seq"] ?? 0);
}

/** A member keeps the place that it had when it was first saved. */
export function saveMember(database: StateDatabase, rollout: string, member: Member): void {
  const { device, ...body } = member;
  database.run(
    "INSERT INTO members(rollout, device, body) VALUES(?, ?, ?) ON CONFLICT(rollout, device) DO UPDATE SET body = excluded.body",
    Number(rollout),
    device,
    JSON.stringify(body),
  );
}

export function loadRollouts(database: StateDatabase): { rollout: Rollout; members: Member[] }[] {
  return database.all("SELECT * FROM rollouts ORDER BY id").map((row) => ({
    rollout: JSON.parse(text(row, "body")) as Rollout,
    members: database
      .all("SELECT device, body FROM members WHERE rollout = ? ORDER BY position", row["id"]!)
      .map((member) => ({
        device: text(member, "device"),
        ...(JSON.parse(text(member, "body")) as Omit<Member, "device">),
      })),
  }));
}

export function saveMessage(database: StateDatabase, device: string, message: LoggedMessage): void {
  const { at, direction, topic, payload, qos, dup } = message;
  database.run(
    "INSERT INTO messages(device, at, direction, topic, payload, qos, dup) VALUES(?, ?, ?, ?, ?, ?, ?)",
    device,
    at,
    direction,
    topic,
    payload,
    qos,
    dup ? 1 : 0,
  );
}

/** Keeps the newest messages of a device. */
export function pruneMessages(database: StateDatabase, device: string, keep: number): void {
  database.run(
    "DELETE FROM messages WHERE device = ?1 AND id <= (SELECT id FROM messages WHERE device = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    device,
    keep,
  );
}

/** Oldest first. */
export function loadMessages(database: StateDatabase): { device: string; message: LoggedMessage }[] {
  return database.all("SELECT * FROM messages ORDER BY id").map((row) => ({
    device: text(row, "device"),
    message: {
      at: Number(row["at"]),
      direction: row["direction"] === "up" ? "up" : "down",
      topic: text(row, "topic"),
      payload: text(row, "payload"),
      qos: Number(row["qos"]) as 0 | 1 | 2,
      dup: row["dup"] === 1,
    },
  }));
}

function text(row: Row, column: string): string {
  return String(row[column]);
}

function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === "string" ? value : undefined;
}

function optionalNumber(row: Row, column: string): number | undefined {
  const value = row[column];
  return typeof value === "number" ? value : undefined;
}

/** An entry where there is a value, nothing where there is none. */
function given<Key extends string, T>(key: Key, value: T | undefined): { [name in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [name in Key]?: T };
}
