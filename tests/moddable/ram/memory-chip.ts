/** See memory-chip.c. `slot` is 0 or 1. */
export class MemoryChip {
  /** Bytes of a slot of this engine. */
  static slotSize(): number {
    return native("xs_ram_slotSize").call(this) as number;
  }
  static erase(slot: number, offset: number): void {
    native("xs_ram_erase").call(this, slot, offset);
  }
  static write(slot: number, offset: number, bytes: Uint8Array): void {
    native("xs_ram_write").call(this, slot, offset, bytes);
  }
  static read(slot: number, offset: number, into: Uint8Array): void {
    native("xs_ram_read").call(this, slot, offset, into);
  }
  static equals(slot: number, offset: number, bytes: Uint8Array): boolean {
    return native("xs_ram_equals").call(this, slot, offset, bytes) as boolean;
  }
  static get(key: string): ArrayBuffer | undefined {
    return native("xs_ram_get").call(this, key) as ArrayBuffer | undefined;
  }
  static put(key: string, bytes: Uint8Array): void {
    native("xs_ram_put").call(this, key, bytes);
  }
  static remove(key: string): void {
    native("xs_ram_remove").call(this, key);
  }
  /** Returns the bytes of the system's heap that the decoder takes. */
  static expandOpen(target: number, oldLength: number): number {
    return native("xs_ram_expandOpen").call(this, target, oldLength) as number;
  }
  static expandBegin(offset: number, length: number, start: number, size: number): void {
    native("xs_ram_expandBegin").call(this, offset, length, start, size);
  }
  static expandNext(into: Uint8Array): void {
    native("xs_ram_expandNext").call(this, into);
  }
  static expandClose(): void {
    native("xs_ram_expandClose").call(this);
  }
}
