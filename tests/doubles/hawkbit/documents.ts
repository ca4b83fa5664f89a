/** The JSON documents of the device API, and the links in them (facts 5, 15, 16, 21 to 28, 39, 47). */
import type { HttpRequest } from "../http/message";
import { activeAction, installedAction, isForced, linkHash, QUOTA, SERVER_MESSAGE, windowOf } from "./model";
import type { Action, Artifact, SoftwareModule, Target } from "./model";
import type { Settings } from "./repository";

/** How an operator configured the addresses of artifacts (fact 22). */
export interface LinkOptions {
  /** `server.forward-headers-strategy=NATIVE`: X-Forwarded-Proto and -Host are believed (fact 5). */
  readonly forwardHeaders?: boolean;
  /** Stock: "download-http" alone, also where the address is https. */
  readonly rels?: readonly ("download" | "download-http")[];
  /** scheme://host[:port] of a CDN in front of the artifacts. */
  readonly artifactHost?: string;
}

export type Json = Record<string, unknown>;

/** Shortest and longest interval that the server names (fact 16), and polls before a window opens. */
const SLEEP = { min: 30, max: 86_399, pollsBeforeWindow: 3 } as const;

/** Two stock types have another name in the device API: read in its source (mapChunkLegacyKeys). */
const LEGACY_PARTS: Readonly<Record<string, string>> = { application: "bApp", runtime: "jvm" };

export class Documents {
  readonly #links: LinkOptions;
  readonly #settings: Settings;
  readonly #now: () => number;

  constructor(links: LinkOptions, settings: Settings, now: () => number) {
    this.#links = links;
    this.#settings = settings;
    this.#now = now;
  }

  poll(request: HttpRequest, tenant: string, target: Target): Json {
    const base = this.#base(request, tenant, target);
    const active = activeAction(target);
    const installed = installedAction(target);
    const links: Json = {};
    const href = (path: string): Json => ({ href: `${base}/${path}` });
    if (active !== undefined) {
      const hash = `?c=${linkHash(active, this.#now())}`;
      if (active.status === "wait_for_confirmation")
        links["confirmationBase"] = href(`confirmationBase/${active.id}${hash}`);
      else if (active.status === "canceling") links["cancelAction"] = href(`cancelAction/${active.id}`);
      else links["deploymentBase"] = href(`deploymentBase/${active.id}${hash}`);
    }
    if (installed !== undefined) links["installedBase"] = href(`installedBase/${installed.id}`);
    if (target.requestAttributes) links["configData"] = href("configData");
    const config = { polling: { sleep: this.#sleep(active) } };
    return Object.keys(links).length === 0 ? { config } : { config, _links: links };
  }

  /** `key`: what the document calls itself, "deployment" or "confirmation". */
  deployment(request: HttpRequest, tenant: string, action: Action, key: string, history: number): Json {
    const now = this.#now();
    const handling = isForced(action, now) ? "forced" : "attempt";
    const window = windowOf(action, now);
    const skip = action.type === "downloadonly" || (window !== undefined && window !== "available");
    const messages = historyOf(action, history);
    return {
      id: String(action.id),
      [key]: {
        download: handling,
        update: skip ? "skip" : handling,
        chunks: action.set.modules.map((module) => this.#chunk(request, tenant, action.target, module)),
        ...(window === undefined ? {} : { maintenanceWindow: window === "available" ? window : "unavailable" }),
      },
      ...(messages.length === 0 ? {} : { actionHistory: { status: action.status.toUpperCase(), messages } }),
    };
  }

  cancel({ id }: Action): Json {
    return { id: String(id), cancelAction: { stopId: String(id) } };
  }

  confirmationState(request: HttpRequest, tenant: string, target: Target): Json {
    const base = `${this.#base(request, tenant, target)}/confirmationBase`;
    const { autoConfirm } = target;
    const active = activeAction(target);
    const switching = autoConfirm === undefined ? "activateAutoConfirm" : "deactivateAutoConfirm";
    const links: Json = { [switching]: { href: `${base}/${switching}` } };
    if (active?.status === "wait_for_confirmation")
      links["confirmationBase"] = { href: `${base}/${active.id}?c=${linkHash(active, this.#now())}` };
    const state: Json = { active: autoConfirm !== undefined };
    if (autoConfirm?.initiator !== undefined) state["initiator"] = autoConfirm.initiator;
    if (autoConfirm !== undefined) state["remark"] = autoConfirm.remark;
    state["activatedAt"] = autoConfirm?.at ?? 0;
    return { autoConfirm: state, _links: links };
  }

  /** The interval varies where the setting says so, and is short before a maintenance window. */
  #sleep(action: Action | undefined): string {
    const [time = "", percent] = this.#settings.pollingTime.split(/[~%]/);
    const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number);
    let sleep = hours * 3_600 + minutes * 60 + seconds;
    // Not random, so that a test can be run again: the lower end of the range on odd seconds, the upper on even ones.
    if (percent !== undefined)
      sleep += Math.trunc((sleep * Number(percent)) / 100) * (Math.floor(this.#now() / 1_000) % 2 === 0 ? 1 : -1);
    const opens = action?.window?.opens ?? 0;
    if (opens > this.#now())
      sleep = Math.min(sleep, Math.trunc((opens - this.#now()) / 1_000 / SLEEP.pollsBeforeWindow));
    sleep = Math.min(Math.max(sleep, SLEEP.min), SLEEP.max);
    return [sleep / 3_600, (sleep / 60) % 60, sleep % 60]
      .map((each) => String(Math.trunc(each)).padStart(2, "0"))
      .join(":");
  }

  #chunk(request: HttpRequest, tenant: string, target: Target, module: SoftwareModule): Json {
    const { version, name, metadata, artifacts } = module;
    return {
      part: LEGACY_PARTS[module.type] ?? module.type,
      version,
      name,
      artifacts: artifacts.map((each) => this.#artifact(request, tenant, target, module, each)),
      ...(metadata.size === 0 ? {} : { metadata: [...metadata].map(([key, value]) => ({ key, value })) }),
    };
  }

  #artifact(request: HttpRequest, tenant: string, target: Target, module: SoftwareModule, file: Artifact): Json {
    const { fileName, sha1, md5, sha256, bytes } = file;
    const own = this.#base(request, tenant, target);
    const base = this.#links.artifactHost === undefined ? own : own.replace(/^\w+:\/\/[^/]+/, this.#links.artifactHost);
    // A blank becomes "+" in the link, and that link is answered with 404: a bug of the server (fact 56).
    const href = `${base}/softwaremodules/${module.id}/artifacts/${encodeURIComponent(fileName).replaceAll("%20", "+")}`;
    const links: Json = {};
    for (const rel of this.#links.rels ?? ["download-http"]) {
      links[rel] = { href };
      links[rel.replace("download", "md5sum")] = { href: `${href}.MD5SUM` };
    }
    return { filename: fileName, hashes: { sha1, md5, sha256 }, size: bytes.length, _links: links };
  }

  /** Links are built from the Host header of the request (fact 5). */
  #base({ headers, scheme }: HttpRequest, tenant: string, { controllerId }: Target): string {
    const forwarded = this.#links.forwardHeaders === true;
    const proto = (forwarded ? headers["x-forwarded-proto"] : undefined) ?? scheme;
    const host = (forwarded ? headers["x-forwarded-host"] : undefined) ?? headers["host"];
    return `${proto}://${host}/${tenant}/controller/v1/${encodeURIComponent(controllerId)}`;
  }
}

/** The device's own details, the newest entry first. */
function historyOf({ entries }: Action, count: number): string[] {
  if (count === 0) return [];
  const most = count < 0 ? QUOTA.history : Math.min(count, QUOTA.history);
  return entries
    .flatMap(({ messages }) => messages.filter((message) => !message.startsWith(SERVER_MESSAGE)).toReversed())
    .toReversed()
    .slice(0, most);
}
