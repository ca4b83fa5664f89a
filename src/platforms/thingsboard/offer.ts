/** The shared attributes that ThingsBoard keeps of a firmware package (`fw_title` and so on), and what they offer. */
import { URL_MAX } from "../../constants";
import { splitUrl } from "../../http/url";
import type { Offer, OfferDigest, Task } from "../../job/types";
import { integerMember, member, stringMember } from "../../util/json";
import type { JsonObject } from "../../util/json";
import { badOffer } from "../incoming";
import type { Incoming } from "../platform";

/** Longest version: that of a firmware block. */
const VERSION_MAX = 31;
/** In front of what stands for a file that is fetched in chunks over MQTT. */
export const CHUNKS = "mqtt:";

/** How this device gets a package. */
export interface Means {
  /** The title of its packages. */
  readonly title: string;
  /** URL of the server's HTTP API with the access token, "http://host:port/api/v1/TOKEN"; absent: chunks over MQTT. */
  readonly api: string | undefined;
}

/** What the attributes want of this device. They are complete: the server shows all of a package in one message. */
export const readOffer = (shared: JsonObject, { title, api }: Means): Incoming => {
  const given = stringMember(shared, "fw_title");
  if (given === undefined) return { kind: "withdrawn" };
  const version = stringMember(shared, "fw_version") ?? "";
  const task: Task = { version: version.slice(0, VERSION_MAX) };
  if (given !== title)
    return badOffer(task, `fw_title: ${JSON.stringify(given.slice(0, 40))}, this device is ${JSON.stringify(title)}`);
  if (version === "" || version.length > VERSION_MAX)
    return badOffer(task, `fw_version: not 1 to ${VERSION_MAX} characters`);
  const digest = digestOf(shared);
  if (typeof digest === "string") return badOffer(task, digest);
  const size = member(shared, "fw_size") === undefined ? 0 : integerMember(shared, "fw_size");
  if (size === undefined || size < 0) return badOffer(task, "fw_size: no whole number");
  const common = { ...task, size, ...(digest === undefined ? {} : { digest }) };
  const link = stringMember(shared, "fw_url");
  return link === undefined ? ofServer(common, title, api) : ofLink({ ...common, url: link });
};

/** A package that is only an address: size and digest are there where the operator gave them by REST. */
const ofLink = (offer: Offer): Incoming => {
  const split = offer.url.length > URL_MAX ? `longer than ${URL_MAX} bytes` : splitUrl(offer.url);
  return typeof split === "string" ? badOffer(offer, `fw_url: ${split}`) : { kind: "offer", offer };
};

/** The query names the package: the server checks it against what is assigned at each request. */
const ofServer = (offer: Omit<Offer, "url">, title: string, api: string | undefined): Incoming => {
  const { version, size, digest } = offer;
  if (size === 0) return badOffer(offer, "fw_size: missing");
  const name = encodeURIComponent(version);
  const url =
    api === undefined
      ? `${CHUNKS}${name}/${digest?.hex ?? size}`
      : `${api}/firmware?title=${encodeURIComponent(title)}&version=${name}`;
  return { kind: "offer", offer: { ...offer, url } };
};

/** A problem as text. */
const digestOf = (shared: JsonObject): OfferDigest | string | undefined => {
  const hex = stringMember(shared, "fw_checksum")?.toLowerCase();
  if (hex === undefined || hex === "") return undefined;
  const algorithm = stringMember(shared, "fw_checksum_algorithm") ?? "";
  if (algorithm !== "MD5" && algorithm !== "SHA256") return `fw_checksum_algorithm: ${unsupported(algorithm)}`;
  const digits = algorithm === "MD5" ? 32 : 64;
  if (hex.length !== digits || !/^[0-9a-f]+$/.test(hex)) return `fw_checksum: not ${digits} hex digits`;
  return { algorithm, hex };
};

const unsupported = (algorithm: string): string => {
  const choose = "choose SHA256";
  switch (algorithm) {
    case "CRC32":
      return `CRC32 is no proof, and its bytes come in reverse order; ${choose}`;
    case "MURMUR3_32":
    case "MURMUR3_128":
      return `${algorithm} is no proof; ${choose}`;
    default:
      return `${JSON.stringify(algorithm.slice(0, 20))} is not known here; ${choose} or MD5`;
  }
};

/** Tells an offer from every other: version and digest. What was refused is remembered by it. */
export const identityOf = (task: Task & Partial<Pick<Offer, "digest">>): string =>
  task.digest === undefined ? task.version : `${task.version} ${task.digest.hex}`;
