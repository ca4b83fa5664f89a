/** Flash of the inactive slot, and the boot slots, through ota.c, which does the work and names what fails. */
import type { Boot, Expander, Flash, ResetReason, Running, StartUp } from "../../src/ports";
import { EspExpander } from "./ota_expander";

interface PartitionFacts {
  readonly label: string;
  readonly size: number;
  readonly sectorSize: number;
  readonly blockSectors: number;
}

/**
 * ota.c. xsc binds a method to its C function where the body is nothing but the call (Moddable SDK, "XS in C", Native).
 * `label`: undefined for the inactive slot.
 */
class Ota {
  static describe(label: string | undefined): PartitionFacts {
    return native("xs_ota_describe").call(this, label) as PartitionFacts;
  }
  /** `sectors`: 1, or those of a block. */
  static erase(label: string | undefined, sector: number, sectors: number): void {
    native("xs_ota_erase").call(this, label, sector, sectors);
  }
  static write(label: string | undefined, offset: number, bytes: Uint8Array): void {
    native("xs_ota_write").call(this, label, offset, bytes);
  }
  static read(label: string | undefined, offset: number, into: Uint8Array): void {
    native("xs_ota_read").call(this, label, offset, into);
  }
  static equals(label: string | undefined, offset: number, bytes: Uint8Array): boolean {
    return native("xs_ota_equals").call(this, label, offset, bytes) as boolean;
  }
  static readRunning(offset: number, into: Uint8Array): void {
    native("xs_ota_readRunning").call(this, offset, into);
  }
  static running(): Running {
    return native("xs_ota_running").call(this) as Running;
  }
  static startUp(): StartUp {
    return native("xs_ota_startUp").call(this) as StartUp;
  }
  static resetReason(): ResetReason {
    return native("xs_ota_resetReason").call(this) as ResetReason;
  }
  static targetStarted(): boolean | undefined {
    return native("xs_ota_targetStarted").call(this) as boolean | undefined;
  }
  static lastInvalid(): string | undefined {
    return native("xs_ota_lastInvalid").call(this) as string | undefined;
  }
  static invalidate(): void {
    native("xs_ota_invalidate").call(this);
  }
  static verify(): number {
    return native("xs_ota_verify").call(this) as number;
  }
  static activate(): void {
    native("xs_ota_activate").call(this);
  }
  static confirm(): void {
    native("xs_ota_confirm").call(this);
  }
  static deadline(milliseconds: number): void {
    native("xs_ota_deadline").call(this, milliseconds);
  }
  static sleep(seconds: number): void {
    native("xs_ota_sleep").call(this, seconds);
  }
  static rollback(): void {
    native("xs_ota_rollback").call(this);
  }
  static restart(): void {
    native("xs_ota_restart").call(this);
  }
}

/** The inactive slot, or a data partition by its label. */
export class EspFlash implements Flash {
  readonly size: number;
  readonly sectorSize: number;
  readonly blockSectors: number;
  private readonly label: string | undefined;

  /** Throws where there is none. */
  constructor(label?: string) {
    const { size, sectorSize, blockSectors } = Ota.describe(label);
    this.size = size;
    this.sectorSize = sectorSize;
    this.blockSectors = blockSectors;
    this.label = label;
  }

  erase(sector: number): void {
    Ota.erase(this.label, whole("erase", sector), 1);
  }

  eraseBlock(sector: number): void {
    Ota.erase(this.label, whole("block erase", sector), this.blockSectors);
  }

  write(offset: number, bytes: Uint8Array): void {
    Ota.write(this.label, whole("write", offset), bytes);
  }

  read(offset: number, into: Uint8Array): void {
    Ota.read(this.label, whole("read", offset), into);
  }

  equals(offset: number, bytes: Uint8Array): boolean {
    return Ota.equals(this.label, whole("compare", offset), bytes);
  }
}

export class EspBoot implements Boot {
  running(): Running {
    return Ota.running();
  }

  startUp(): StartUp {
    return Ota.startUp();
  }

  target(): string {
    return Ota.describe(undefined).label;
  }

  resetReason(): ResetReason {
    return Ota.resetReason();
  }

  targetStarted(): boolean | undefined {
    return Ota.targetStarted();
  }

  readRunning(offset: number, into: Uint8Array): void {
    Ota.readRunning(whole("read", offset), into);
  }

  expander(oldLength: number): Expander {
    return new EspExpander(oldLength);
  }

  lastInvalid(): string | undefined {
    return Ota.lastInvalid();
  }

  invalidateTarget(): void {
    Ota.invalidate();
  }

  verifyTarget(): number {
    return Ota.verify();
  }

  activate(): void {
    Ota.activate();
  }

  confirm(): void {
    Ota.confirm();
  }

  deadline(milliseconds: number): void {
    Ota.deadline(milliseconds);
  }

  sleep(seconds: number): void {
    Ota.sleep(seconds);
  }

  rollback(): void {
    Ota.rollback();
  }

  restart(): void {
    Ota.restart();
  }
}

const whole = (operation: string, value: number): number => {
  // 2^31 - 1 is what the C module takes; no ESP32 has that much flash.
  if (!(Number.isInteger(value) && value >= 0 && value <= 0x7fff_ffff))
    throw new Error(`flash ${operation} at ${value}`);
  return value;
};
