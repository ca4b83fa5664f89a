/** The documents of hawkBit's device API (DDI): the poll and the deployment. */
import { resolveLocation, urlText } from "../../http/url";
import type { HttpUrl } from "../../http/url";
import type { Offer, OfferDigest, Task } from "../../job/types";
import { asObject, integerMember, member, stringMember } from "../../util/json";
import type { JsonObject } from "../../util/json";
import { badOffer } from "../incoming";
import type { Incoming } from "../platform";

/** Kinds of work, in the order in which a poll is searched; it has one of them at most. */
const WORK = Object.freeze(["cancelAction", "deploymentBase", "confirmationBase"] as const);

/** What a poll asks for. */
export interface Work {
  readonly kind: (typeof WORK)[number];
  /** Id of the action: a decimal number of 64 bits, never calculated with. */
  readonly id: string;
  /** "c=N" or "": changes with the action. */
  readonly stamp: string;
}

const isActionId = (text: string): boolean => /^[0-9]{1,19}$/.test(text);

/** Undefined: nothing. Of a link only the id counts: its host and scheme are what a proxy made of them. */
export const workOf = (poll: JsonObject): Work | string | undefined => {
  const links = asObject(member(poll, "_links"));
  for (const kind of WORK) {
    const link = links && asObject(member(links, kind));
    if (link === undefined) continue;
    const href = stringMember(link, "href") ?? "";
    const [id = "", stamp = ""] = href.slice(href.lastIndexOf("/") + 1).split("?");
    if (!isActionId(id)) return `_links.${kind}: no action id`;
    return { kind, id, stamp: /^c=-?[0-9]{1,20}$/.test(stamp) ? stamp : "" };
  }
  return undefined;
};

/** `config.polling.sleep`, "HH:mm:ss", in seconds; undefined where it is none. */
export const sleepOf = (poll: JsonObject): number | undefined => {
  const config = asObject(member(poll, "config"));
  const polling = config && asObject(member(config, "polling"));
  const [, hours, minutes, seconds] =
    /^([0-9]{2}):([0-9]{2}):([0-9]{2})$/.exec((polling && stringMember(polling, "sleep")) ?? "") ?? [];
  return hours === undefined ? undefined : Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
};

/** What a device knows of its server. */
export interface Home {
  readonly server: HttpUrl;
  /** Path of the server's URL, without a slash at its end. */
  readonly path: string;
  readonly tenant: string;
  /** Type of the software module that is the device's own firmware. */
  readonly part: string;
}

/** What a deployment wants now. "hold": nothing yet, a maintenance window is closed. */
export type Deployment = Incoming | { readonly kind: "hold" };

/** The deployment of the action `id`. What cannot be carried out is refused, or it would be offered for ever. */
export const readDeployment = (document: JsonObject, id: string, home: Home): Deployment => {
  const deployment = asObject(member(document, "deployment"));
  const chunks = deployment && member(deployment, "chunks");
  if (deployment === undefined || !Array.isArray(chunks)) return badOffer({ version: "", id }, "deployment: no chunks");
  const list = chunks as unknown[];
  const chunk = asObject(list[0]);
  const task = { version: (chunk && stringMember(chunk, "version")) ?? "", id };
  if (chunk === undefined || list.length !== 1)
    return badOffer(task, `deployment: ${list.length} software modules, one is expected`);
  const offer = readChunk(chunk, task, home);
  if (typeof offer === "string") return badOffer(task, offer);
  const skips = stringMember(deployment, "update") === "skip";
  const fetchOnly = skips && member(deployment, "maintenanceWindow") === undefined;
  if ((skips && !fetchOnly) || stringMember(deployment, "download") === "skip") return { kind: "hold" };
  return { kind: "offer", offer: { ...offer, fetchOnly } };
};

const readChunk = (chunk: JsonObject, task: Task, home: Home): Offer | string => {
  const part = stringMember(chunk, "part") ?? "";
  if (task.version === "") return "version: missing";
  if (part === "") return "part: missing";
  const artifacts = member(chunk, "artifacts");
  const count = Array.isArray(artifacts) ? artifacts.length : 0;
  const artifact = count === 1 ? asObject((artifacts as unknown[])[0]) : undefined;
  if (artifact === undefined) return `artifacts: ${count}, one is expected`;
  const size = integerMember(artifact, "size");
  if (size === undefined || size < 1) return "size: a whole number above 0 is expected";
  const digest = digestOf(artifact);
  if (digest === undefined) return "hashes: neither sha256 nor md5";
  const url = fileUrl(artifact, home);
  if (url === undefined) return "_links: no download";
  const component = part === home.part ? {} : { module: part, component: part };
  return { ...task, ...component, size, url, digest };
};

const digestOf = (artifact: JsonObject): OfferDigest | undefined => {
  const hashes = asObject(member(artifact, "hashes"));
  const hex = (key: string, digits: number): string | undefined => {
    const value = (hashes && stringMember(hashes, key))?.toLowerCase();
    return value !== undefined && value.length === digits && /^[0-9a-f]+$/.test(value) ? value : undefined;
  };
  const sha256 = hex("sha256", 64);
  if (sha256 !== undefined) return { algorithm: "SHA256", hex: sha256 };
  const md5 = hex("md5", 32);
  return md5 === undefined ? undefined : { algorithm: "MD5", hex: md5 };
};

/**
 * On a stock server the link is named download-http, also where it is https. Behind a proxy its scheme and host are
 * often wrong, so a path of the device API is asked of the device's own server. Any other link is that of a CDN.
 */
const fileUrl = (artifact: JsonObject, home: Home): string | undefined => {
  const links = asObject(member(artifact, "_links"));
  const link = links && (asObject(member(links, "download")) ?? asObject(member(links, "download-http")));
  const href = link && stringMember(link, "href");
  const url = href === undefined ? "" : resolveLocation(home.server, href);
  if (typeof url === "string") return undefined;
  const target = withoutPlus(url.target);
  const at = target.toLowerCase().indexOf(`/${home.tenant.toLowerCase()}/controller/v1/`);
  return at < 0 ? urlText({ ...url, target }) : urlText({ ...home.server, target: home.path + target.slice(at) });
};

/** The server writes a blank of a file's name as "+" and answers that link with 404. A plus in a name is %2B. */
const withoutPlus = (target: string): string => {
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  const name = path.lastIndexOf("/") + 1;
  return path.slice(0, name) + path.slice(name).split("+").join("%20") + target.slice(path.length);
};
