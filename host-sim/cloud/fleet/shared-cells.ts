import { SECTOR_SIZE, type FlashCells } from "../../../hal/model-chip/flash-cells";

const ERASED = Buffer.alloc(SECTOR_SIZE, 0xff);
/** Distinct sectors known at most; a new one beyond that belongs to its board alone. */
const POOL_MAX = 16_384;

/**
 * Sectors that many chips hold at once. A fleet that is updated holds the same image a thousand times: each sector of
 * it lies in memory once, and a board's own are those few in which it differs.
 */
export class SectorPool {
  readonly #byMark = new Map<string, Buffer[]>();
  #size = 0;

  /** The sector of that content that all share; it must not be changed. */
  share(sector: Buffer): Buffer {
    if (sector.equals(ERASED)) return ERASED;
    const mark = sector.toString("latin1", 0, 8) + sector.toString("latin1", SECTOR_SIZE - 24, SECTOR_SIZE - 8);
    const candidates = this.#byMark.get(mark) ?? [];
    const known = candidates.find((candidate) => candidate.equals(sector));
    if (known !== undefined) return known;
    if (this.#size >= POOL_MAX) return sector;
    this.#size++;
    this.#byMark.set(mark, [...candidates, sector]);
    return sector;
  }
}

/** A chip's cells whose sectors lie in a pool. */
export class SharedCells implements FlashCells {
  readonly size: number;
  readonly #pool: SectorPool;
  readonly #sectors: Buffer[];
  /** 1: no other board holds this sector. */
  readonly #own: Uint8Array;

  constructor(size: number, pool: SectorPool) {
    this.size = size;
    this.#pool = pool;
    this.#sectors = Array.from({ length: size / SECTOR_SIZE }, () => ERASED);
    this.#own = new Uint8Array(size / SECTOR_SIZE);
  }

  read(address: number, into: Uint8Array): void {
    let [sector, offset] = [Math.floor(address / SECTOR_SIZE), address % SECTOR_SIZE];
    for (let done = 0; done < into.length; sector++, offset = 0) {
      const count = Math.min(SECTOR_SIZE - offset, into.length - done);
      into.set(this.#sectors[sector]!.subarray(offset, offset + count), done);
      done += count;
    }
  }

  set(address: number, bytes: Uint8Array): void {
    this.#change(address, bytes.length, (cells, offset, done, count) =>
      cells.set(bytes.subarray(done, done + count), offset),
    );
  }

  clear(address: number, bytes: Uint8Array): void {
    this.#change(address, bytes.length, (cells, offset, done, count) => {
      for (let index = 0; index < count; index++) cells[offset + index]! &= bytes[done + index]!;
    });
  }

  erase(address: number, length: number): void {
    this.#change(address, length, (cells, offset, _done, count) => cells.fill(0xff, offset, offset + count));
  }

  /**
   * A sector that is written whole is most likely the image's; one that is written in parts is this device's own
   * records.
   */
  #change(
    address: number,
    length: number,
    apply: (cells: Buffer, offset: number, done: number, count: number) => void,
  ): void {
    let [sector, offset] = [Math.floor(address / SECTOR_SIZE), address % SECTOR_SIZE];
    for (let done = 0; done < length; sector++, offset = 0) {
      const count = Math.min(SECTOR_SIZE - offset, length - done);
      const cells = this.#own[sector] === 1 ? this.#sectors[sector]! : Buffer.from(this.#sectors[sector]!);
      apply(cells, offset, done, count);
      const shared = count === SECTOR_SIZE ? this.#pool.share(cells) : cells;
      this.#sectors[sector] = shared;
      this.#own[sector] = shared === cells && count < SECTOR_SIZE ? 1 : 0;
      done += count;
    }
  }
}
