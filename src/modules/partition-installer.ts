import type { Flash } from "../ports";
import type { ModuleImage, ModuleInstaller } from "./installer";

/**
 * Keeps a module in a data partition, raw from its first byte: assets that the application maps or reads. The partition
 * is written in place: from the first sector on until `installed` is called, it holds neither the old module nor the
 * new one whole.
 */
export class PartitionInstaller implements ModuleInstaller {
  readonly capacity: number;
  private readonly flash: Flash;
  private readonly installed: (image: ModuleImage) => void;
  private image: ModuleImage | undefined;

  /** `installed` is told when the partition holds a whole new module. */
  constructor(flash: Flash, installed: (image: ModuleImage) => void = () => {}) {
    this.capacity = flash.size;
    this.flash = flash;
    this.installed = installed;
  }

  begin(image: ModuleImage): void {
    this.image = image;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.flash.erase(offset / this.flash.sectorSize);
    this.flash.write(offset, bytes);
  }

  equals(offset: number, bytes: Uint8Array): boolean {
    return this.flash.equals(offset, bytes);
  }

  read(offset: number, into: Uint8Array): void {
    this.flash.read(offset, into);
  }

  finish(done: (error?: Error) => void): void {
    if (this.image !== undefined) this.installed(this.image);
    done();
  }

  /** The first sector goes, so that nobody takes the rest for a module. */
  abort(): void {
    this.flash.erase(0);
  }
}
