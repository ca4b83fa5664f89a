import type { ModuleInstaller } from "../../src/index";

/** A module in memory: takes what it is given. Tests say what becomes of it in the end. */
export abstract class MemoryModule implements ModuleInstaller {
  readonly capacity = 1 << 20;
  readonly held = new Uint8Array(1 << 20);

  abstract finish(done: (error?: Error) => void): void;
  begin(_module: { readonly version: string; readonly size: number }, _offset: number): void {}
  abort(): void {}

  write(offset: number, bytes: Uint8Array): void {
    this.held.set(bytes, offset);
  }
  equals(offset: number, bytes: Uint8Array): boolean {
    return Buffer.compare(this.held.subarray(offset, offset + bytes.length), bytes) === 0;
  }
  read(offset: number, into: Uint8Array): void {
    into.set(this.held.subarray(offset, offset + into.length));
  }
}
