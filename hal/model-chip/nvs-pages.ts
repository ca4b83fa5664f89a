/**
 * The pages of an NVS partition in the order of their writing (nvs_pagemanager.cpp). One page is always kept free: when
 * the last but one is needed, the page with the fewest entries in use is copied into it and erased. "Freeing" marks a
 * page whose copy is not complete yet.
 */
import type { FlashChip } from "./flash-chip";
import { SECTOR_SIZE } from "./flash-chip";
import { ENTRIES, Type } from "./nvs-format";
import { NvsPage } from "./nvs-page";
import type { Partition } from "./partitions";

/** ESP-IDF would refuse to mount: ESP_ERR_NVS_NO_FREE_PAGES and the like. */
export class NvsMountError extends Error {}

export class NvsPages {
  /** Oldest first; the last one takes the writes. */
  readonly pages: NvsPage[] = [];
  readonly count: number;
  readonly #free: NvsPage[] = [];
  #nextSeq = 0;

  /** PageManager::load. Throws `NvsMountError` or `NvsVersionError`. */
  constructor(chip: FlashChip, partition: Partition) {
    this.count = partition.size / SECTOR_SIZE;
    const room = new Uint8Array(SECTOR_SIZE);
    for (let index = 0; index < this.count; index++) {
      const page = new NvsPage(chip, partition.address + index * SECTOR_SIZE);
      page.load(room);
      if (page.state === "uninitialized" || page.state === "corrupt") {
        this.#free.push(page);
      } else {
        const place = this.pages.findIndex((other) => other.seq > page.seq);
        this.pages.splice(place < 0 ? this.pages.length : place, 0, page);
      }
    }
    if (this.pages.length === 0) {
      this.#activate();
      return;
    }
    this.#nextSeq = this.current.seq + 1;
    this.#dropOlderCopy();
    this.#finishFreeing();
    if (this.#free.length === 0) throw new NvsMountError("NVS has no free page");
  }

  get current(): NvsPage {
    return this.pages[this.pages.length - 1]!;
  }

  /** PageManager::requestNewPage. False: every entry of every page is in use. */
  turnOver(): boolean {
    if (this.#free.length >= 2) {
      this.#activate();
      return true;
    }
    let emptiest: NvsPage | undefined;
    for (const page of this.pages) {
      if (page.used < (emptiest?.used ?? ENTRIES)) emptiest = page;
    }
    if (emptiest === undefined || this.#free.length === 0) return false;
    emptiest.become("freeing");
    this.#empty(emptiest);
    return true;
  }

  /** The last item written may have an older copy in an earlier page: the cut came before that was struck out. */
  #dropOlderCopy(): void {
    const item = this.current.items.at(-1);
    if (item === undefined) return;
    const { namespace, type, key, chunk } = item;
    for (const page of this.pages.slice(0, -1)) {
      if (page.state === "freeing") continue;
      const copy = page.find(
        (other) => other.namespace === namespace && other.type === type && other.key === key && other.chunk === chunk,
      );
      if (copy === undefined) continue;
      page.erase(copy.index);
      return;
    }
    if (type !== Type.blobIndex) return;
    for (const page of this.pages.slice(0, -1)) {
      if (page.state === "freeing") continue;
      const old = page.find(
        (other) => other.namespace === namespace && other.type === Type.oldBlob && other.key === key,
      );
      if (old === undefined) continue;
      page.erase(old.index);
      return;
    }
  }

  /** A page whose copying was cut short is copied again, into a page wiped for it. */
  #finishFreeing(): void {
    const freeing = this.pages.find((page) => page.state === "freeing");
    if (freeing === undefined) return;
    const copy = this.current;
    if (copy.state === "active") {
      copy.wipe();
      this.pages.pop();
      this.#free.push(copy);
    }
    if (this.#free.length === 0) throw new NvsMountError("NVS has no free page to finish its turn-over");
    this.#empty(freeing);
  }

  #empty(page: NvsPage): void {
    this.#activate();
    page.copyTo(this.current);
    page.wipe();
    this.pages.splice(this.pages.indexOf(page), 1);
    this.#free.push(page);
  }

  #activate(): void {
    const page = this.#free.shift()!;
    if (page.state === "corrupt") page.wipe();
    page.assign(this.#nextSeq++);
    this.pages.push(page);
  }
}
