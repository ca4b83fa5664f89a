import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Boards } from "../boards/boards";
import { BoundedLog } from "../core/bounded-log";
import { createCloud, type Cloud } from "../core/cloud";
import type { CloudOptions } from "../core/cloud-options";
import { isAny } from "../core/cloud-options";
import type { RequestHandler } from "../core/http-front";
import { ConsolePages } from "../console/pages";
import type { LinkQuality, Target } from "../../faults/weak-link";
import { Access, newToken } from "./access";
import type { Desk } from "./desk";
import { EventStream } from "./event-stream";
import { Guard } from "./guard";
import { openApi } from "./openapi";
import { route, type Route } from "./route";
import { Router } from "./router";
import { boardRoutes } from "./routes/boards";
import { cloudRoutes } from "./routes/cloud";
import { deviceRoutes } from "./routes/devices";
import { packageRoutes } from "./routes/packages";
import { rolloutRoutes } from "./routes/rollouts";

export interface DeskOptions {
  readonly cloud: CloudOptions;
  /** What runs the firmware of simulated boards. */
  readonly engine: "xs" | "node";
  /** Of simulated boards that are not behind the weak one; default: what a chip makes of Wi-Fi. */
  readonly goodLink?: LinkQuality;
  /** The console answers other machines too. */
  readonly network?: boolean;
  /** Where the root is that devices trust, if the cloud speaks TLS: each device.json names it. */
  readonly rootFile?: string;
  /** Hears of faults of our own, one line each. */
  readonly failed?: (line: string) => void;
}

const API_TOKEN_FILE = "api-token";
const BOARDS_FOLDER = "boards";
const JOURNAL_KEPT = 500;

/** A cloud with its API, its console and simulated boards. */
export interface RunningDesk extends Desk {
  readonly routes: readonly Route[];
  readonly apiToken: string;
  /** Where scripts find it; undefined if nothing is kept. */
  readonly apiTokenFile: string | undefined;
  /** Opens one session in a browser. */
  link(): string;
  start(): Promise<void>;
  /** Boards lose their power, everything is written, nothing listens. */
  close(): Promise<void>;
}

/** Rejects with one line if a folder can not be used. Nothing listens before `start`. */
export async function createDesk(options: DeskOptions): Promise<RunningDesk> {
  const cloud = await createCloud(options.cloud);
  const now = options.cloud.now ?? Date.now;
  const { state } = options.cloud;
  const { apiToken, apiTokenFile } = tokenIn(state);
  const access = new Access(apiToken, cloud.database, now);
  const temporary = state === undefined ? mkdtempSync(join(tmpdir(), "xs-ota-boards-")) : undefined;
  const boards: Boards = new Boards({
    cloud,
    folder: temporary ?? join(state!, BOARDS_FOLDER),
    http: () => ({ host: reachableHere(options.cloud), port: cloud.httpPort }),
    mqtt: () => brokerHere(options.cloud, cloud),
    engine: options.engine,
    ...(options.goodLink === undefined ? {} : { goodLink: options.goodLink }),
    now,
    changed: (board) => events.board(board),
    removed: (name) => events.changed("boards", name),
  });
  const events: EventStream = new EventStream(cloud, () => boards);
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const consoleUrl = (): string => {
    const name = options.network === true ? cloud.publicHost : "127.0.0.1";
    return cloud.httpPort > 0 ? `http://${name}:${cloud.httpPort}` : `https://${name}:${cloud.httpsPort}`;
  };
  const desk: Desk = { cloud, boards, access, events, version, consoleUrl, rootFile: options.rootFile };
  const guard = new Guard({ access, network: options.network === true, names: [cloud.publicHost] });
  const journal = new BoundedLog<{ at: number; who: string; what: string }>(JOURNAL_KEPT);
  cloud.on("refused", ({ at, clientId, reason }) => journal.add({ at, who: clientId, what: `not let in: ${reason}` }));
  cloud.on("violation", ({ at, device, rule }) => journal.add({ at, who: device, what: rule }));
  let connected = true;
  cloud.on("broker", (isConnected, message) => {
    connected = isConnected;
    journal.add({ at: now(), who: "broker", what: message });
  });
  const routes = [
    ...cloudRoutes(
      desk,
      () => journal.entries(),
      () => connected,
    ),
    ...packageRoutes(desk),
    ...deviceRoutes(desk),
    ...rolloutRoutes(desk, now),
    ...boardRoutes(desk),
  ];
  const description = openApi(routes, version);
  routes.push(
    route({
      method: "GET",
      path: "/openapi.json",
      summary: "This description",
      status: 200,
      stream: "application/json",
      open: true,
      handle: ({ response }) =>
        void response.setHeader("Content-Type", "application/json").end(JSON.stringify(description)),
    }),
  );
  const router = new Router(routes, guard, (error) =>
    options.failed?.(`internal error: ${error instanceof Error ? error.message : String(error)}`),
  );
  const pages = new ConsolePages(guard);
  const handler: RequestHandler = async (request, response) =>
    (await router.handle(request, response)) || pages.handle(request, response);
  cloud.onRequest(handler);
  return {
    ...desk,
    routes,
    apiToken,
    apiTokenFile,
    link: () => `${consoleUrl()}/#token=${access.link()}`,
    start: async () => {
      await cloud.start();
      await boards.start();
    },
    close: async () => {
      events.close();
      await boards.stop();
      await cloud.close();
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** The lasting token for scripts, in a file that only its owner can read. */
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
