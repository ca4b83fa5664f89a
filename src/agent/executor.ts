/** Carries out the job's effects on the ports. The answer of an effect, where it has one, is returned as the job's next event. */
import type { Ports } from "../ports";
import { HEAD } from "../constants";
import type { JobEffect, JobEvent, Snapshot } from "../job/effects";
import { KEY_AWAKE, KEY_BUDGETS } from "../job/budgets";
import {
  KEY_ANSWER,
  KEY_FLOOR,
  KEY_HEAD,
  KEY_JOB,
  KEY_OFFSET,
  KEY_OUTCOME,
  KEY_PART_HEAD,
  KEY_PART_OFFSET,
  KEY_STATE,
  KEY_WAITING,
} from "../job/record";
import { KEY_REFUSED } from "../job/refused";
import type { ModuleInstaller } from "../modules/installer";

/** Effects that only touch flash, store, installers and boot choice: no network, no question to the application. */
export type LocalEffect = Extract<
  JobEffect,
  {
    type:
      | "put-number"
      | "put-bytes"
      | "delete"
      | "erase"
      | "write"
      | "compare"
      | "read"
      | "open-part"
      | "abort-part"
      | "invalidate"
      | "verify"
      | "activate"
      | "confirm"
      | "rollback"
      | "reboot";
  }
>;

export class Executor {
  readonly #ports: Ports;
  readonly #buffer: Uint8Array;
  readonly #erased = new Uint8Array(HEAD).fill(0xff);
  readonly #installers: ReadonlyMap<string, ModuleInstaller>;
  #open: ModuleInstaller | undefined;

  /** `buffer`: one sector, lent between downloads. */
  constructor(ports: Ports, buffer: Uint8Array, installers: ReadonlyMap<string, ModuleInstaller> = new Map()) {
    this.#ports = ports;
    this.#buffer = buffer;
    this.#installers = installers;
  }

  /** The installer of the module in hand. */
  get installer(): ModuleInstaller {
    if (this.#open === undefined) throw new Error("no module is open");
    return this.#open;
  }

  /** Throws what the port throws. */
  execute(effect: LocalEffect): JobEvent | undefined {
    const { flash, boot, store } = this.#ports;
    switch (effect.type) {
      case "put-number":
        store.setNumber(effect.key, effect.value);
        return undefined;
      case "put-bytes":
        store.setBytes(effect.key, effect.bytes);
        return undefined;
      case "delete":
        store.delete(effect.key);
        return undefined;
      case "erase":
        flash.erase(effect.sector);
        return undefined;
      case "write":
        (effect.part === undefined ? flash : this.installer).write(effect.offset, effect.bytes);
        return undefined;
      case "compare": {
        if (effect.part !== undefined)
          return { type: "compared", equal: this.installer.equals(effect.offset, effect.bytes) };
        const headErased =
          effect.erased === 0 || flash.equals(effect.offset - effect.erased, this.#erased.subarray(0, effect.erased));
        return { type: "compared", equal: headErased && flash.equals(effect.offset, effect.bytes) };
      }
      case "read": {
        const bytes = this.#buffer.subarray(0, effect.length);
        if (effect.from === "running") boot.readRunning(effect.offset, bytes);
        else (effect.from === "target" ? flash : this.installer).read(effect.offset, bytes);
        return { type: "bytes", bytes };
      }
      case "open-part":
        this.#open = this.#installers.get(effect.part);
        if (this.#open === undefined) throw new Error(`this firmware has no module ${JSON.stringify(effect.part)}`);
        this.#open.begin({ version: effect.version, size: effect.size }, effect.offset);
        return undefined;
      case "abort-part":
        // What it thinks of that changes nothing for the job.
        quietly(() => this.#installers.get(effect.part)?.abort());
        this.#open = undefined;
        return undefined;
      case "invalidate":
        boot.invalidateTarget();
        return undefined;
      case "verify":
        return { type: "verified", length: boot.verifyTarget() };
      case "activate":
        boot.activate();
        return undefined;
      case "confirm":
        boot.confirm();
        return undefined;
      case "rollback":
        boot.rollback();
        return undefined;
      case "reboot":
        boot.restart();
        return undefined;
    }
  }

  /** What the store holds at power-on. A record that can not be read counts as absent, a store that throws as empty. */
  snapshot(): Snapshot {
    const { store } = this.#ports;
    return {
      job: quietly(() => store.getBytes(KEY_JOB)),
      offset: quietly(() => store.getNumber(KEY_OFFSET)),
      head: quietly(() => store.getBytes(KEY_HEAD)),
      state: quietly(() => store.getNumber(KEY_STATE)),
      outcome: quietly(() => store.getBytes(KEY_OUTCOME)),
      refused: quietly(() => store.getBytes(KEY_REFUSED)),
      floor: quietly(() => store.getNumber(KEY_FLOOR)),
      part: {
        offset: quietly(() => store.getNumber(KEY_PART_OFFSET)),
        head: quietly(() => store.getBytes(KEY_PART_HEAD)),
      },
      waiting: quietly(() => store.getBytes(KEY_WAITING)),
      answer: quietly(() => store.getBytes(KEY_ANSWER)),
      budgets: quietly(() => store.getBytes(KEY_BUDGETS)),
      awake: quietly(() => store.getNumber(KEY_AWAKE)),
    };
  }
}

function quietly<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
