import type { KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bracketed } from "../board/config/host-name";
import type { LinkQuality, Target } from "../faults/weak-link";
import { Access, newToken } from "./api/access";
import type { ApiContext, JournalEntry } from "./api/context";
import { EventStream } from "./api/event-stream";
import { Guard } from "./api/guard";
import { createApi, type RouteSummary } from "./api/server";
import { Boards } from "./boards/boards";
import { ConsolePages } from "./console/pages";
import { BoundedLog } from "./core/bounded-log";
import { Containers } from "./deltas/containers";
import { UpdateBytes } from "./deltas/update-bytes";
import { createCloud, type Cloud } from "./core/cloud";
import { isAny, type CloudOptions } from "./core/cloud-options";
import { expiryWarnings } from "./core/listeners/expiry";
import { storageNews } from "./core/state/store-error";

export interface CloudHostOptions {
  readonly cloud: CloudOptions;
  /** What runs the firmware of simulated boards. */
  readonly engine: "xs" | "node";
  /** Link of simulated boards that are not behind the weak one; default: a chip's Wi-Fi. */
  readonly goodLink?: LinkQuality;
  /** Console and API answer other machines too. */
  readonly network?: boolean;
  /** Older packages that each uploaded image is compared with, to make a container of it; default 0, 31 at most. */
  readonly deltas?: number;
  /** Private key that signs these containers; default: they are not signed. */
  readonly deltaKey?: KeyObject;
  /** Path of the root certificate that devices trust, if the cloud speaks TLS: each device.json names it. */
  readonly rootFile?: string;
  /** Is told of faults of this program, of calls that a full disk refused and of ends of certificates, one line each. */
  readonly failed?: (line: string) => void;
}

const API_TOKEN_FILE = "api-token";
const BOARDS_FOLDER = "boards";
const JOURNAL_KEPT = 500;
/** Milliseconds between two looks at the ends of certificates. */
const CERTIFICATES_LOOK = 3_600_000;

/** A cloud with its API, its console and simulated boards. */
export interface CloudHost {
  readonly cloud: Cloud;
  readonly boards: Boards;
  readonly routes: readonly RouteSummary[];
  readonly apiToken: string;
  /** File with the API token for scripts; undefined if nothing is kept. */
  readonly apiTokenFile: string | undefined;
  /** A link that opens one session in a browser. */
  link(): string;
  start(): Promise<void>;
  /** Boards lose their power, everything is written, nothing listens. */
  close(): Promise<void>;
}

/** Rejects with one line if a folder can not be used. Nothing listens before `start`. */
export async function createCloudHost(options: CloudHostOptions): Promise<CloudHost> {
  const cloud = await createCloud(options.cloud);
  const { state, now = Date.now } = options.cloud;
  const { apiToken, apiTokenFile } = tokenIn(state);
  const access = new Access(apiToken, cloud, now);
  const temporary = state === undefined ? mkdtempSync(join(tmpdir(), "xs-ota-boards-")) : undefined;
  const boards = createBoards(options, cloud, temporary ?? join(state!, BOARDS_FOLDER), () => events);
  const events: EventStream = new EventStream(cloud, boards);
  const consoleUrl = (): string => {
    if (cloud.publicUrl !== undefined) return cloud.publicUrl;
    const name = bracketed(options.network === true ? cloud.publicHost : reachableHere(options.cloud));
    return cloud.httpPort > 0 ? `http://${name}:${cloud.httpPort}` : `https://${name}:${cloud.httpsPort}`;
  };
  const { publicHost, publicUrl } = cloud;
  const names = [reachableHere(options.cloud), ...(options.network === true ? [publicHost] : [])];
  const guard = new Guard({ access, network: options.network === true, names, publicUrl });
  const log = keepJournal(cloud, now);
  const context: ApiContext = {
    ...log,
    cloud,
    boards,
    access,
    containers: new Containers(cloud.packages, options.deltaKey),
    updateBytes: new UpdateBytes(cloud),
    deltas: options.deltas ?? 0,
    events,
    now,
    consoleUrl,
    version: ownVersion(),
    rootFile: options.rootFile,
    warnings: () => warningsOf(cloud, now()),
  };
  const api = await createApi(context, guard, (line) => options.failed?.(line));
  const pages = new ConsolePages(guard);
  cloud.onRequest(
    async (request, response) => (await api.handle(request, response)) || pages.handle(request, response),
  );
  const watch = watchCertificates(context, (line) => options.failed?.(`warning: ${line}`));
  return {
    cloud,
    boards,
    routes: api.routes,
    apiToken,
    apiTokenFile,
    link: () => `${consoleUrl()}/#token=${access.link()}`,
    start: async () => {
      await cloud.start();
      watch.start();
      await boards.start();
    },
    close: async () => {
      watch.stop();
      events.close();
      await context.containers.close();
      await boards.stop();
      await cloud.close();
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** `events`: asked once something has changed. */
function createBoards(options: CloudHostOptions, cloud: Cloud, folder: string, events: () => EventStream): Boards {
  return new Boards({
    cloud,
    folder,
    http: () => ({ host: reachableHere(options.cloud), port: cloud.httpPort }),
    mqtt: () => brokerHere(options.cloud, cloud),
    engine: options.engine,
    ...(options.goodLink === undefined ? {} : { goodLink: options.goodLink }),
    now: options.cloud.now ?? Date.now,
    changed: (board) => events().board(board),
    removed: (name) => events().changed("boards", name),
  });
}

/** Writes down what goes wrong between devices and cloud. */
function keepJournal(cloud: Cloud, now: () => number): Pick<ApiContext, "journal" | "brokerConnected"> {
  const journal = new BoundedLog<JournalEntry>(JOURNAL_KEPT);
  let connected = true;
  cloud.on("refused", ({ at, clientId, reason }) => journal.add({ at, who: clientId, what: `not let in: ${reason}` }));
  cloud.on("violation", ({ at, device, rule }) => journal.add({ at, who: device, what: rule }));
  cloud.on("storage", (trouble) => journal.add({ at: now(), who: "cloud", what: storageNews(trouble) }));
  cloud.on("broker", (isConnected, message) => {
    connected = isConnected;
    journal.add({ at: now(), who: "broker", what: message });
  });
  return { journal, brokerConnected: () => connected };
}

/** What somebody should see to, one line each. */
function warningsOf({ keeper, tls }: Cloud, now: number): string[] {
  const stored = keeper?.trouble === undefined ? [] : [storageNews(keeper.trouble)];
  return [...stored, ...(tls?.watched ?? []).flatMap((one) => expiryWarnings(one, now))];
}

/** Tells each warning about a certificate once, weeks before its end, and renews what is our own. */
function watchCertificates(
  { cloud, now, journal, events }: ApiContext,
  tell: (line: string) => void,
): { start(): void; stop(): void } {
  const told = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    void cloud.renew();
    for (const line of (cloud.tls?.watched ?? []).flatMap((one) => expiryWarnings(one, now()))) {
      if (told.has(line)) continue;
      told.add(line);
      tell(line);
      journal.add({ at: now(), who: "cloud", what: line });
      events.changed("warnings", "");
    }
  };
  return {
    start: () => {
      look();
      timer = setInterval(look, CERTIFICATES_LOOK).unref();
    },
    stop: () => clearInterval(timer),
  };
}

function ownVersion(): string {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { version: string }).version;
}

/** The token for scripts, kept in a file that only its owner can read. */
function tokenIn(state: string | undefined): { apiToken: string; apiTokenFile: string | undefined } {
  if (state === undefined) return { apiToken: newToken(), apiTokenFile: undefined };
  const apiTokenFile = join(state, API_TOKEN_FILE);
  try {
    const kept = readFileSync(apiTokenFile, "utf8").trim();
    if (/^[\w-]{43}$/.test(kept)) return { apiToken: kept, apiTokenFile };
  } catch {
    // There is none yet.
  }
  const apiToken = newToken();
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(apiTokenFile, `${apiToken}\n`, { mode: 0o600 });
  return { apiToken, apiTokenFile };
}

/** How this process itself reaches its listeners. */
function reachableHere({ host = "127.0.0.1" }: CloudOptions): string {
  return isAny(host) ? "127.0.0.1" : host;
}

/** Undefined where boards must speak TLS, which a relay can not stand in. */
function brokerHere(options: CloudOptions, cloud: Cloud): Target | undefined {
  if (cloud.mqttPort === 0) return undefined;
  return { host: options.broker === undefined ? reachableHere(options) : cloud.brokerHost, port: cloud.mqttPort };
}
