/** Flash of the inactive slot and boot slots over the C module beside this file (ota.c), which does the work and names what fails. */
import type { Boot, Flash, ResetReason, Running } from "../../src/ports";

interface PartitionFacts {
  readonly label: string;
  readonly size: number;
  readonly sectorSize: number;
}

/** The inactive slot, or a data partition by its label. */
export class EspFlash implements Flash {
  readonly size: number;
  readonly sectorSize: number;
  readonly #label: string | undefined;

  /** Throws where there is none. */
  constructor(label?: string) {
    const { size, sectorSize } = otaDescribe(label);
    this.size = size;
    this.sectorSize = sectorSize;
    this.#label = label;
  }

  erase(sector: number): void {
    otaErase(this.#label, whole("erase", sector));
  }

  write(offset: number, bytes: Uint8Array): void {
    otaWrite(this.#label, whole("write", offset), bytes);
  }

  read(offset: number, into: Uint8Array): void {
    otaRead(this.#label, whole("read", offset), into);
  }

  equals(offset: number, bytes: Uint8Array): boolean {
    return otaEquals(this.#label, whole("compare", offset), bytes);
  }
}

export class EspBoot implements Boot {
  /** Before each restart that is wanted. */
  readonly #leaving: () => void;

  constructor(leaving: () => void) {
    this.#leaving = leaving;
  }

  running(): Running {
    return otaRunning();
  }

  target(): string {
    return otaDescribe(undefined).label;
  }

  resetReason(): ResetReason {
    return otaResetReason();
  }

  readRunning(offset: number, into: Uint8Array): void {
    otaReadRunning(undefined, whole("read", offset), into);
  }

  lastInvalid(): string | undefined {
    return otaLastInvalid();
  }

  invalidateTarget(): void {
    otaInvalidate();
  }

  verifyTarget(): number {
    return otaVerify();
  }

  activate(): void {
    otaActivate();
  }

  confirm(): void {
    otaConfirm();
  }

  rollback(): void {
    this.#leaving();
    otaRollback();
  }

  restart(): void {
    this.#leaving();
    otaRestart();
  }
}

function whole(operation: string, value: number): number {
  // 2^31 - 1 is what the C module takes; no ESP32 has that much flash.
  if (!(Number.isInteger(value) && value >= 0 && value <= 0x7fff_ffff))
    throw new Error(`flash ${operation} at ${value}`);
  return value;
}

/* The C module: native functions are linked where they are called on `this`. `label`: undefined for the inactive slot. */

function otaDescribe(this: void, label: string | undefined): PartitionFacts {
  return native("xs_ota_describe").call(this, label) as PartitionFacts;
}
function otaErase(this: void, label: string | undefined, sector: number): void {
  return native("xs_ota_erase").call(this, label, sector) as undefined;
}
function otaWrite(this: void, label: string | undefined, offset: number, bytes: Uint8Array): void {
  return native("xs_ota_write").call(this, label, offset, bytes) as undefined;
}
function otaRead(this: void, label: string | undefined, offset: number, into: Uint8Array): void {
  return native("xs_ota_read").call(this, label, offset, into) as undefined;
}
function otaEquals(this: void, label: string | undefined, offset: number, bytes: Uint8Array): boolean {
  return native("xs_ota_equals").call(this, label, offset, bytes) as boolean;
}
function otaReadRunning(this: void, label: undefined, offset: number, into: Uint8Array): void {
  return native("xs_ota_readRunning").call(this, label, offset, into) as undefined;
}
function otaRunning(this: void): Running {
  return native("xs_ota_running").call(this) as Running;
}
function otaResetReason(this: void): ResetReason {
  return native("xs_ota_resetReason").call(this) as ResetReason;
}
function otaLastInvalid(this: void): string | undefined {
  return native("xs_ota_lastInvalid").call(this) as string | undefined;
}
function otaInvalidate(this: void): void {
  return native("xs_ota_invalidate").call(this) as undefined;
}
function otaVerify(this: void): number {
  return native("xs_ota_verify").call(this) as number;
}
function otaActivate(this: void): void {
  return native("xs_ota_activate").call(this) as undefined;
}
function otaConfirm(this: void): void {
  return native("xs_ota_confirm").call(this) as undefined;
}
function otaRollback(this: void): void {
  return native("xs_ota_rollback").call(this) as undefined;
}
function otaRestart(this: void): void {
  return native("xs_ota_restart").call(this) as undefined;
}
