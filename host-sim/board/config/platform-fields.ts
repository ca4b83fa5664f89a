import type { AnyPlatform, Setting } from "../../../src/platforms/platform";
import type { Trust } from "../node-network";
import type { PlatformConfiguration } from "../firmware/configuration";
import type { JsonFields } from "./json-fields";
import type { PemFiles } from "./pem-files";

/** What device.json has for its platform. */
export interface PlatformFields {
  readonly platform: PlatformConfiguration;
  /** The TLS client certificate, and the keys of device.json that it comes from. */
  readonly credentials?: {
    readonly trust: Pick<Trust, "certificate" | "privateKey">;
    /** The key that asks for a certificate. */
    readonly chosenBy: string;
    /** The object that names the files. */
    readonly namedIn: string;
  };
  /** The file holds something that others must not read. */
  readonly secret: boolean;
}

/** Reads the settings of a platform. Throws with the key where one is missing or impossible; never shows a value. */
export function platformFields(definition: AnyPlatform, fields: JsonFields, files: PemFiles): PlatformFields {
  const values: { [name: string]: unknown } = {};
  const trust: { [file in NonNullable<Setting["file"]>]?: string } = {};
  let credential: Setting | undefined;
  let secret = false;
  const settings = definition.settings();
  for (const setting of settings) {
    const { name, json = name, when, required = when !== undefined, file } = setting;
    const { object, key } = placeOf(fields, json);
    const value = valueOf(setting, object, key);
    if (when !== undefined && !holds(when, values)) continue;
    if (required && (value === undefined || value === "")) throw fields.error(json, "is missing");
    if (object === undefined || value === undefined || (value === "" && setting.blank === true)) continue;
    if (setting.secret !== undefined) secret = true;
    if (file === undefined) values[name] = value;
    else {
      credential = setting;
      trust[file] = file === "certificate" ? files.certificates(object, key)! : files.privateKey(object, key)!;
    }
  }
  return {
    platform: { kind: definition.name, ...values },
    ...(credential === undefined ? {} : { credentials: { trust, ...sourceOf(credential, settings) } }),
    secret,
  };
}

function valueOf({ oneOf, number }: Setting, object: JsonFields | undefined, key: string): string | number | undefined {
  if (number !== undefined) return object?.integer(key, ...number);
  return oneOf === undefined ? object?.string(key) : object?.oneOf(key, oneOf);
}

/** The object that holds a key, from the key's path with dots. */
function placeOf(fields: JsonFields, path: string): { readonly object: JsonFields | undefined; readonly key: string } {
  const steps = path.split(".");
  const key = steps.pop()!;
  return { object: steps.reduce<JsonFields | undefined>((object, step) => object?.object(step), fields), key };
}

function holds(when: string, values: { readonly [name: string]: unknown }): boolean {
  const [name = "", value] = when.split("=");
  return values[name] === value;
}

function sourceOf(credential: Setting, settings: readonly Setting[]): { chosenBy: string; namedIn: string } {
  const path = (setting: Setting): string => setting.json ?? setting.name;
  const chooser = settings.find(({ name }) => name === credential.when?.split("=")[0]);
  return { chosenBy: path(chooser ?? credential), namedIn: path(credential).split(".")[0]! };
}
