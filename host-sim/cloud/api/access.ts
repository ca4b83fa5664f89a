import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Cloud } from "../core/cloud";

/** One-time links that wait to be used. */
const LINKS_MAX = 8;
const SESSIONS_MAX = 100;
/** Milliseconds that a session lasts: a month. */
const SESSION_MAX_AGE = 30 * 86_400_000;

/**
 * Who may use console and API: whoever holds the API token, or a session that was opened with a one-time token. Tokens
 * are 256 random bits; only their hashes are stored, so that neither memory dumps nor the database reveal one.
 */
export class Access {
  readonly #cloud: Pick<Cloud, "database" | "keeper">;
  readonly #now: () => number;
  readonly #apiToken: Buffer;
  readonly #links = new Set<string>();
  readonly #sessions = new Map<string, number>();

  /** Sessions outlive the process where the cloud stores anything. */
  constructor(apiToken: string, cloud: Pick<Cloud, "database" | "keeper">, now: () => number) {
    this.#apiToken = digest(apiToken);
    this.#cloud = cloud;
    this.#now = now;
    for (const row of cloud.database?.all("SELECT hash, created_at FROM sessions ORDER BY created_at") ?? []) {
      this.#sessions.set(String(row["hash"]), Number(row["created_at"]));
    }
  }

  /** A token that opens one session, once. The oldest unused one makes room. */
  link(): string {
    const token = newToken();
    this.#links.add(hash(token));
    const [oldest] = this.#links;
    if (this.#links.size > LINKS_MAX && oldest !== undefined) this.#links.delete(oldest);
    return token;
  }

  /** The new session for a one-time token; undefined if it is none, or was used. */
  open(token: string): string | undefined {
    if (!this.#links.delete(hash(token))) return undefined;
    const session = newToken();
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= SESSIONS_MAX && oldest !== undefined) this.#drop(oldest);
    const [key, now] = [hash(session), this.#now()];
    this.#sessions.set(key, now);
    this.#cloud.keeper?.write(`session ${key}`, (database) =>
      database.run("INSERT INTO sessions(hash, created_at) VALUES(?, ?)", key, now),
    );
    return session;
  }

  isSession(session: string): boolean {
    const key = hash(session);
    const created = this.#sessions.get(key);
    if (created === undefined) return false;
    if (this.#now() - created < SESSION_MAX_AGE) return true;
    this.#drop(key);
    return false;
  }

  close(session: string): void {
    this.#drop(hash(session));
  }

  isApiToken(token: string): boolean {
    return timingSafeEqual(digest(token), this.#apiToken);
  }

  #drop(key: string): void {
    this.#sessions.delete(key);
    this.#cloud.keeper?.write(`session ${key}`, (database) => database.run("DELETE FROM sessions WHERE hash = ?", key));
  }
}

export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Tokens are looked up by hash, so that the time of a comparison reveals nothing of use. */
function hash(text: string): string {
  return digest(text).toString("base64url");
}
