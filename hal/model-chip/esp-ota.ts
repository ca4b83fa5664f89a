/**
 * What a running application can do about boot slots: the calls of ESP-IDF's app_update component that the agent's
 * ESP32 port makes, over the simulated flash, with the same otadata writes in the same order (esp_ota_ops.c, IDF v6.0).
 */
import type { SlotState } from "../../src/ports";
import type { FlashChip } from "./flash-chip";
import { OtaData, State, activeEntry, isBootable, lastInvalidEntry, names, seqCrc, slotOf, stateName } from "./otadata";
import type { EntryIndex } from "./otadata";
import { startsOf, wakesOf } from "./marks";
import type { PartitionTable } from "./partitions";
import type { SlotIndex, Slots } from "./slots";

export class EspOta {
  readonly #otadata: OtaData;
  readonly #slots: Slots;

  constructor(chip: FlashChip, table: PartitionTable, slots: Slots) {
    this.#otadata = new OtaData(chip, table.otadata.address);
    this.#slots = slots;
  }

  /** esp_ota_get_state_partition: the first whole entry that names the slot; "none" is ESP_ERR_NOT_FOUND. */
  state(slot: SlotIndex): SlotState {
    const entry = this.#otadata
      .read()
      .find((candidate) => candidate.crc === seqCrc(candidate.seq) && slotOf(candidate) === slot);
    return entry === undefined ? "none" : stateName(entry.state);
  }

  /**
   * esp_ota_invalidate_inactive_ota_data_slot: erases the entry that does not decide, unless it is blank or names the
   * running slot. False is ESP_FAIL: there was nothing to erase. Where the DECIDING entry names a slot that did not
   * boot (the bootloader fell back), that entry stays.
   */
  invalidateInactive(running: SlotIndex): boolean {
    const entries = this.#otadata.read();
    const active = activeEntry(entries);
    if (active === undefined) return false;
    const inactive = opposite(active);
    if (!names(entries[inactive]) || slotOf(entries[inactive]) === running) return false;
    this.#otadata.erase(inactive);
    return true;
  }

  /** Whether the start-up has marked the entry of `slot` since it was activated. Undefined: there is no such entry. */
  started(slot: SlotIndex): boolean | undefined {
    const entry = this.#otadata.read().find((candidate) => names(candidate) && slotOf(candidate) === slot);
    return entry?.label === undefined ? undefined : startsOf(entry.label) + wakesOf(entry.label) > 0;
  }

  /**
   * Erases the entry that `setBoot(slot)` writes where its label is not blank: ESP-IDF would carry the marks of an
   * earlier trial over, or what a power cut has left of them. It stays where no other entry would decide for `running`.
   */
  forgetMarks(slot: SlotIndex, running: SlotIndex): void {
    const entries = this.#otadata.read();
    const active = activeEntry(entries);
    const decides = active !== undefined && slotOf(entries[active]) === slot;
    const index = active === undefined ? 0 : decides ? active : opposite(active);
    if (entries[index].label?.every((byte) => byte === 0xff) === true) return;
    const rest = entries[opposite(index)];
    if (!decides || (isBootable(rest) && slotOf(rest) === running)) this.#otadata.erase(index);
  }

  /** esp_ota_set_boot_partition: verifies, then writes a NEW entry. Throws with the reason if the image is refused. */
  setBoot(slot: SlotIndex): void {
    this.#slots.verify(slot);
    const entries = this.#otadata.read();
    const active = activeEntry(entries);
    if (active === undefined) {
      this.#otadata.write(0, slot + 1, State.new);
    } else if (slotOf(entries[active]) === slot) {
      this.#otadata.write(active, entries[active].seq, State.new);
    } else {
      this.#otadata.write(opposite(active), nextSeq(entries[active].seq, slot), State.new);
    }
  }

  /** esp_ota_mark_app_valid_cancel_rollback: makes the deciding entry VALID. False: there is none (ESP_FAIL). */
  markValid(): boolean {
    const entries = this.#otadata.read();
    const active = activeEntry(entries);
    if (active === undefined) return false;
    if (entries[active].state !== State.valid) this.#otadata.write(active, entries[active].seq, State.valid);
    return true;
  }

  /**
   * esp_ota_mark_app_invalid_rollback: gives the deciding entry up. False: nothing else could boot
   * (ESP_ERR_OTA_ROLLBACK_FAILED).
   */
  markInvalid(): boolean {
    const entries = this.#otadata.read();
    const active = activeEntry(entries);
    if (active === undefined) return false;
    const last = entries[opposite(active)];
    if (!isBootable(last) || this.#slots.boots(slotOf(last)) === undefined) return false;
    this.#otadata.write(active, entries[active].seq, State.invalid);
    return true;
  }

  /** esp_ota_get_last_invalid_partition: undefined also where the rejected image is no longer whole. */
  lastInvalid(): SlotIndex | undefined {
    const entries = this.#otadata.read();
    const index = lastInvalidEntry(entries);
    if (index === undefined) return undefined;
    const slot = slotOf(entries[index]);
    return this.#slots.boots(slot) === undefined ? undefined : slot;
  }
}

function opposite(index: EntryIndex): EntryIndex {
  return index === 0 ? 1 : 0;
}

/** The next number that names `slot` (compute_ota_seq_for_target_slot, for two slots). */
function nextSeq(current: number, slot: SlotIndex): number {
  const base = (slot + 1) % 2;
  return base + 2 * Math.max(0, Math.ceil((current - base) / 2));
}
