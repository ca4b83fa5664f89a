/**
 * Settings and trust of one chip. The NVS namespace "xs-ota-cfg" holds strings under the names of firmware/settings.ts,
 * written at the factory (ESP-IDF's nvs_partition_gen.py) or by the application. They win over mc/config, so that one
 * image serves a fleet. None is ever traced.
 */
import config from "mc/config";
import Resource from "Resource";
import type { Setting, Trust } from "../moddable/device";
import { pemBlocks } from "../../src/x509/pem";
import { decodeUtf8 } from "../../src/util/utf8";
import { NvsStore } from "./store";

const NAMESPACE = "xs-ota-cfg";
/** Longest NVS key. */
const KEY_MAX = 15;

export class ChipConfig {
  private readonly store = new NvsStore(NAMESPACE);

  /** The value in NVS: a string, or a u32. */
  stored(key: string): Setting {
    if (key === "" || key.length > KEY_MAX) return undefined;
    return this.store.getText(key) ?? this.store.getNumber(key);
  }

  /** The value in NVS, else in mc/config. Undefined where that is absent or "". */
  text(key: string): string | undefined {
    const value = this.stored(key) ?? config[key];
    return value === undefined || value === "" ? undefined : String(value);
  }

  /**
   * `mqttCa`, `httpsCa`: whom to trust; `devCertFile`, `devKeyFile`: how the device proves itself to a broker that
   * asks. Each is PEM, or the name of a resource in the firmware (PEM or DER). Undefined where no root is named. Read
   * at each connection: nothing stays in memory.
   */
  trust(kind: "mqtt" | "https"): Trust | undefined {
    const roots = this.blocks(`${kind}Ca`, "CERTIFICATE");
    if (roots === undefined) return undefined;
    const certificate = kind === "mqtt" ? this.blocks("devCertFile", "CERTIFICATE")?.[0] : undefined;
    const privateKey = kind === "mqtt" ? this.blocks("devKeyFile", "PRIVATE KEY")?.[0] : undefined;
    return {
      roots,
      ...(certificate === undefined ? {} : { certificate }),
      ...(privateKey === undefined ? {} : { privateKey }),
    };
  }

  private blocks(key: string, label: string): Uint8Array[] | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    if (value.includes("-----BEGIN ")) return pemBlocks(value, label);
    if (!Resource.exists(value)) throw new Error(`${key}: neither PEM nor a resource of this firmware`);
    const bytes = new Uint8Array(new Resource(value).slice(0) as ArrayBuffer);
    // DER begins with a SEQUENCE.
    return bytes[0] === 0x30 ? [bytes] : pemBlocks(decodeUtf8(bytes), label);
  }
}
