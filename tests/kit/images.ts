/** Firmware images for tests, and boards that run one. */
import type { Leaving } from "../../hal/model-chip/board-ports";
import { buildImage } from "../../hal/model-chip/build-image";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { nodeExpander } from "../../host-sim/board/node-expander";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

/** Version that a board comes with. */
export const FACTORY_VERSION = "0.1.0";

/**
 * An image of exactly `size` bytes that boots and does nothing. Its padding depends on version and size, so that a
 * sector that is left from another image never passes for one of this.
 */
export function firmwareImage(version: string, size: number): Uint8Array {
  return buildImage({ version, payload: Buffer.from(`firmware ${version}`), size, seed: `${version} ${size}` });
}

const factories = new Map<number, MemoryBoard>();

/**
 * A board on FACTORY_VERSION, its counters at 0, not started. All of a size share one factory chip, which is made once.
 */
export function factoryBoard(size = 40_000, onRestart?: (reason: Leaving) => void): MemoryBoard {
  let factory = factories.get(size);
  if (factory === undefined) factories.set(size, (factory = boardOf(firmwareImage(FACTORY_VERSION, size))));
  return factory.fork(onRestart);
}

/** A board of 4 MB on that image, not started. */
export const boardOf = (factoryImage: Uint8Array): MemoryBoard =>
  new MemoryBoard({ factoryImage, table: partitionTableFor(4 << 20), expander: nodeExpander });
