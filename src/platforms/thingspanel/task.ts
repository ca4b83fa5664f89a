import type { Offer, OfferDigest, Task } from "../../job/types";
import { asObject, integerMember, member, stringMember } from "../../util/json";
import type { JsonObject } from "../../util/json";
import { badOffer, ignored } from "../incoming";
import type { Incoming } from "../platform";
import { taskUrl } from "./task-url";
import type { UrlSettings } from "./task-url";

/** Longest version: the server's columns hold 36 characters, v0's 20. */
const VERSION_MAX = 36;
/** Longest module name: v0's column holds 50 characters, v1's 36. */
const MODULE_MAX = 50;

/**
 * Reads a task message of either generation. Server, documentation and forks disagree, so every form is accepted:
 * `code` as number or text, `size` as number or text (anything else means unknown), `sign` empty or missing, `module`
 * and `extData` null or missing. `id` is new for every push and refers to nothing; it is ignored, as unknown keys are.
 *
 * A task that can not be carried out is answered. A message without version and URL is no task, and is not answered: a
 * report without a task crashes the server of 1.x.
 */
export const readTask = (message: JsonObject, settings: UrlSettings & { readonly module: string }): Incoming => {
  const params = asObject(member(message, "params"));
  const version = params && stringMember(params, "version");
  const given = params && stringMember(params, "url");
  if (params === undefined || (version === undefined && given === undefined)) return ignored("not a task");
  const module = stringMember(params, "module");
  if (module !== undefined && module.length > MODULE_MAX)
    return ignored(`module: longer than ${MODULE_MAX} characters`);
  const task: Task = { version: version?.slice(0, VERSION_MAX) ?? "", ...(module === undefined ? {} : { module }) };

  const code = member(message, "code");
  if (code !== 200 && code !== "200")
    return badOffer(task, `code: ${typeof code === "number" || typeof code === "string" ? code : "missing"}, not 200`);
  if (version === undefined || version === "" || version.length > VERSION_MAX)
    return badOffer(task, `version: not 1 to ${VERSION_MAX} characters`);
  const sign = digestOf(stringMember(params, "sign"));
  if (sign === "malformed") return badOffer(task, "sign: neither 32 hex digits (MD5) nor 64 (SHA-256)");
  const where = taskUrl(given, settings);
  if ("problem" in where) return badOffer(task, where.problem);
  const component = partOf(module, settings.module);
  const offer: Offer = {
    ...task,
    size: sizeOf(params),
    url: where.url,
    ...(component === undefined ? {} : { component }),
    ...(sign === undefined ? {} : { digest: sign }),
  };
  return { kind: "offer", offer };
};

/**
 * The length tells the algorithm, and `signMethod` is ignored: v0 uses SHA-256 for every method but exactly "MD5", and
 * labels it "Md5". Empty or missing: the offer has no digest, and policy decides.
 */
const digestOf = (sign: string | undefined): OfferDigest | "malformed" | undefined => {
  if (sign === undefined || sign === "") return undefined;
  if (!/^(?:[0-9a-f]{32}|[0-9a-f]{64})$/i.test(sign)) return "malformed";
  return { algorithm: sign.length === 32 ? "MD5" : "SHA256", hex: sign.toLowerCase() };
};

/** 0 means unknown; v1 sends "0" for every file. */
const sizeOf = (params: JsonObject): number => {
  return Math.max(0, integerMember(params, "size") ?? 0);
};

/** Undefined for the firmware itself: absent, null, "", "default", and the device's own name for it. */
const partOf = (module: string | undefined, own: string): string | undefined => {
  return module === undefined || module === "" || module === "default" || module === own ? undefined : module;
};
