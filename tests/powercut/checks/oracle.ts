/** The oracle: what a chip's cells really hold, read without hooks, power or noise. For checks only. */
import { FlashChip } from "../../../hal/model-chip/flash-chip";
import { startsOf } from "../../../hal/model-chip/marks";
import type { MemoryBoard } from "../../../hal/model-chip/memory-board";
import { OtaData, activeEntry, isBootable, names, slotOf, stateName } from "../../../hal/model-chip/otadata";
import type { OtaEntry } from "../../../hal/model-chip/otadata";
import type { Partition } from "../../../hal/model-chip/partitions";
import { Slots, VerifyCache } from "../../../hal/model-chip/slots";
import type { SlotImage, SlotIndex } from "../../../hal/model-chip/slots";
import { nodeSha256 } from "../../../host-sim/board/node-crypto";
import type { SlotState } from "../../../src/ports";

/** Results of image checks by content, for all boards of the process. */
const VERDICTS = new VerifyCache();

export class Oracle {
  readonly slots: Slots;
  readonly #chip: FlashChip;
  readonly #otadata: OtaData;

  constructor(board: MemoryBoard) {
    this.#chip = new FlashChip(board.chip.cells);
    this.slots = new Slots(this.#chip, board.table, 0, { cache: VERDICTS, sha256: nodeSha256 });
    this.#otadata = new OtaData(this.#chip, board.table.otadata.address);
  }

  slot(label: string): { readonly index: SlotIndex; readonly partition: Partition } {
    const index: SlotIndex = label === "ota_0" ? 0 : 1;
    return { index, partition: this.slots.partitions[index] };
  }

  /** The image in a slot if it would boot. */
  bootable(index: SlotIndex): SlotImage | undefined {
    const magic = new Uint8Array(1);
    this.#chip.read(this.slots.partitions[index].address, magic);
    return magic[0] === 0xe9 ? this.slots.boots(index) : undefined;
  }

  entries(): readonly [OtaEntry, OtaEntry] {
    return this.#otadata.read();
  }

  /**
   * The boot entry of a slot: its place, its state, whether the slot may boot by it, and whether it is the active one.
   */
  entryOf(index: SlotIndex):
    | {
        readonly at: number;
        readonly state: SlotState;
        readonly bootable: boolean;
        readonly decides: boolean;
        /** The start-up has marked it. */
        readonly started: boolean;
      }
    | undefined {
    const entries = this.entries();
    const at = entries.findIndex((entry) => names(entry) && slotOf(entry) === index);
    if (at < 0) return undefined;
    const entry = entries[at]!;
    return {
      at,
      state: stateName(entry.state),
      bootable: isBootable(entry),
      decides: activeEntry(entries) === at,
      started: startsOf(entry.label ?? []) > 0,
    };
  }

  /** State of the boot entry in this sector; undefined where its CRC is wrong. */
  stateAt(at: 0 | 1): number | undefined {
    const entry = this.entries()[at];
    return names(entry) ? entry.state : undefined;
  }

  /** The chip holds these bytes at this address. */
  sameAt(address: number, bytes: Uint8Array): boolean {
    const found = Buffer.alloc(bytes.length);
    this.#chip.read(address, found);
    return found.equals(bytes);
  }

  /** Bytes `from` to `to` - 1 of a slot are those of the file. */
  holds(index: SlotIndex, file: Uint8Array, from: number, to: number): boolean {
    const end = Math.min(to, file.length);
    if (end <= from) return true;
    const found = Buffer.alloc(end - from);
    this.#chip.read(this.slots.partitions[index].address + from, found);
    return found.equals(file.subarray(from, end));
  }

  stamp(index: SlotIndex): number {
    const { address, size } = this.slots.partitions[index];
    return this.#chip.stamp(address, size)!;
  }
}
