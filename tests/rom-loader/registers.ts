/**
 * The registers that flashing programs read: eFuses, the crystal's divider, and the SPI controller, through which they run a
 * command of the flash chip (SPI_USR, as in esptool's run_spiflash_command). Addresses as in esptool's targets.
 */
import type { FlashChip } from "../../hal/model-chip/flash-chip";

/** The chips that can be emulated. */
export interface LoaderChip {
  readonly name: string;
  /** esp_chip_id_t. */
  readonly id: number;
  /** What 0x40001000 holds (CHIP_DETECT_MAGIC_REG_ADDR). */
  readonly magic: number;
  /** False: the ROM does not know GET_SECURITY_INFO. */
  readonly hasSecurityInfo: boolean;
  readonly spi: SpiRegisters;
  /** Values that are not 0. */
  readonly registers: Readonly<Record<number, number>>;
  /** The eFuses that tell what is burnt; each sets bits of one register. */
  readonly fuses: { readonly encryption: Fuse; readonly secureBoot: Fuse };
}

type Fuse = readonly [address: number, bits: number];

interface SpiRegisters {
  readonly base: number;
  readonly usr2: number;
  readonly w0: number;
}

export const ESP32: LoaderChip = {
  name: "ESP32",
  id: 0,
  magic: 0x00f01d83,
  hasSecurityInfo: false,
  spi: { base: 0x3ff42000, usr2: 0x24, w0: 0x80 },
  registers: {
    // MAC 24:0a:c4:12:34:56.
    0x3ff5a004: 0xc4123456,
    0x3ff5a008: 0x0000240a,
    // 40 MHz at 115,200 baud.
    0x3ff40014: 347,
  },
  fuses: { encryption: [0x3ff5a000, 1 << 20], secureBoot: [0x3ff5a018, 1 << 5] },
};

export const ESP32_C3: LoaderChip = {
  name: "ESP32-C3",
  id: 5,
  magic: 0x1b31506f,
  hasSecurityInfo: true,
  spi: { base: 0x60002000, usr2: 0x20, w0: 0x58 },
  registers: { 0x60008844: 0xc4123456, 0x60008848: 0x0000240a },
  fuses: { encryption: [0x60008834, 1 << 18], secureBoot: [0x60008838, 1 << 20] },
};

export const ESP32_S3: LoaderChip = {
  name: "ESP32-S3",
  id: 9,
  magic: 0x09,
  hasSecurityInfo: true,
  spi: { base: 0x60002000, usr2: 0x20, w0: 0x58 },
  registers: { 0x60007044: 0xc4123456, 0x60007048: 0x0000240a },
  fuses: { encryption: [0x60007034, 1 << 18], secureBoot: [0x60007038, 1 << 20] },
};

const MAGIC_REGISTER = 0x40001000;
const SPI_CMD_USR = 1 << 18;
/** Read JEDEC ID. */
const RDID = 0x9f;
/** Winbond, as the low byte of the answer. */
const VENDOR = 0xef;

export class Registers {
  readonly #values: Map<number, number>;
  readonly #spi: SpiRegisters;
  readonly #flash: FlashChip;

  constructor(chip: LoaderChip, flash: FlashChip, burnt: readonly Fuse[]) {
    this.#spi = chip.spi;
    this.#flash = flash;
    this.#values = new Map(Object.entries(chip.registers).map(([address, value]) => [Number(address), value]));
    this.#values.set(MAGIC_REGISTER, chip.magic);
    for (const [address, bits] of burnt) this.#values.set(address, this.read(address) | bits);
  }

  read(address: number): number {
    return this.#values.get(address) ?? 0;
  }

  write(address: number, value: number, mask = 0xffffffff): void {
    const next = (this.read(address) & ~mask) | (value & mask);
    if (address === this.#spi.base && (next & SPI_CMD_USR) !== 0) this.#runSpi();
    else this.#values.set(address, next >>> 0);
  }

  /** The command is done at once: its bit reads 0. */
  #runSpi(): void {
    const { base, usr2, w0 } = this.#spi;
    const command = this.read(base + usr2) & 0xff;
    this.#values.set(base + w0, command === RDID ? this.#jedecId() : 0);
    this.#values.set(base, 0);
  }

  /** Vendor, type, and the size as a power of 2. */
  #jedecId(): number {
    return VENDOR | (0x40 << 8) | (Math.log2(this.#flash.size) << 16);
  }
}
