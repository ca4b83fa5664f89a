/**
 * A board without NOR rules, NVS pages and boot entries in flash, so that a hundred thousand of them are quick. What it
 * leaves out is tested elsewhere; MemoryBoard (hal/model-chip) can take its place.
 */
import assert from "node:assert/strict";
import type { Boot, Flash, ResetReason, Running, SlotState, Store } from "../../src/ports";
import { NOT_ON_TRIAL } from "../../hal/model-chip/start-up";
import { nodeExpander } from "../../host-sim/board/node-expander";
import { SECTOR } from "../../src/constants";
import { readFirmware } from "../../src/image/firmware-block";

const SLOT_SIZE = 4 * SECTOR;
const LABELS = ["ota_0", "ota_1"] as const;

interface Slot {
  readonly bytes: Uint8Array;
  state: SlotState;
}

export interface Board {
  readonly ports: { readonly flash: Flash; readonly boot: Boot; readonly store: Store };
  readonly restartWanted: string | undefined;
  powerOn(reason: ResetReason): { readonly bricked?: string | undefined };
  /** Erases of the sector that was erased most. */
  mostErases(): number;
}

export class LightBoard implements Board {
  restartWanted: string | undefined;
  readonly #slots: readonly [Slot, Slot];
  readonly #records = new Map<string, number | Uint8Array>();
  readonly #erases = new Map<string, number>();
  #running = 0;
  /** The slot that the bootloader starts next. */
  #next = 0;
  #lastInvalid: string | undefined;
  #reason: ResetReason = "power-on";

  constructor(factory: Uint8Array) {
    this.#slots = [slotOf(factory), slotOf(new Uint8Array(0))];
    this.#slots[0].state = "valid";
  }

  powerOn(reason: ResetReason): { readonly bricked?: string } {
    this.restartWanted = undefined;
    this.#reason = reason;
    const slot = this.#slots[this.#next]!;
    if (slot.state === "pending") {
      slot.state = "aborted";
      this.#lastInvalid = LABELS[this.#next];
      this.#next = 1 - this.#next;
    } else if (slot.state === "new") slot.state = "pending";
    this.#running = this.#next;
    return this.#slots[this.#running]!.bytes[0] === 0xe9 ? {} : { bricked: LABELS[this.#running]! };
  }

  mostErases(): number {
    return Math.max(0, ...this.#erases.values());
  }

  get ports(): Board["ports"] {
    const target = this.#slots[1 - this.#running]!;
    return { flash: this.#flash(target), boot: this.#boot(), store: this.#store() };
  }

  #flash({ bytes }: Slot): Flash {
    const label = LABELS[1 - this.#running]!;
    return {
      size: SLOT_SIZE,
      sectorSize: SECTOR,
      blockSectors: 1,
      eraseBlock: () => assert.fail("this slot has no blocks"),
      erase: (sector) => {
        bytes.fill(0xff, sector * SECTOR, (sector + 1) * SECTOR);
        const name = `${label} ${sector}`;
        this.#erases.set(name, (this.#erases.get(name) ?? 0) + 1);
      },
      write: (offset, from) => bytes.set(from, offset),
      read: (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
      equals: (offset, other) => Buffer.compare(bytes.subarray(offset, offset + other.length), other) === 0,
    };
  }

  #boot(): Boot {
    const own = this.#running;
    const other = 1 - own;
    const slots = this.#slots;
    const facts = readFirmware(slots[own]!.bytes.subarray(0, SECTOR), false);
    return {
      running: (): Running => ({
        slot: LABELS[own]!,
        version: facts.version,
        project: facts.product,
        chip: 0,
        state: slots[own]!.state,
      }),
      target: () => LABELS[other]!,
      startUp: () => NOT_ON_TRIAL,
      targetStarted: () => undefined,
      deadline() {},
      sleep() {},
      resetReason: () => this.#reason,
      readRunning: (offset, into) => into.set(slots[own]!.bytes.subarray(offset, offset + into.length)),
      expander: (oldLength) =>
        nodeExpander({
          oldLength,
          readBlock: (offset, into) => into.set(slots[1 - own]!.bytes.subarray(offset, offset + into.length)),
          readOld: (offset, into) => into.set(slots[own]!.bytes.subarray(offset, offset + into.length)),
        }),
      lastInvalid: () => this.#lastInvalid,
      invalidateTarget: () => {
        slots[other]!.state = "none";
        if (this.#lastInvalid === LABELS[other]) this.#lastInvalid = undefined;
      },
      verifyTarget: () => SECTOR,
      activate: () => {
        slots[other]!.state = "new";
        this.#next = other;
      },
      confirm: () => void (slots[own]!.state = "valid"),
      rollback: () => {
        slots[own]!.state = "invalid";
        this.#lastInvalid = LABELS[own];
        this.#next = other;
        this.restartWanted = "rollback";
      },
      restart: () => void (this.restartWanted = "restart"),
    };
  }

  #store(): Store {
    const records = this.#records;
    return {
      getNumber: (key) => records.get(key) as number | undefined,
      setNumber: (key, value) => void records.set(key, value),
      getBytes: (key) => records.get(key) as Uint8Array | undefined,
      setBytes: (key, bytes) => void records.set(key, bytes.slice()),
      delete: (key) => void records.delete(key),
    };
  }
}

const slotOf = (image: Uint8Array): Slot => {
  const bytes = new Uint8Array(SLOT_SIZE).fill(0xff);
  bytes.set(image);
  return { bytes, state: "none" };
};
