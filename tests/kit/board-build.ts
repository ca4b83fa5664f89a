/** A build as mcconfig leaves it, of images that the simulated board starts. */
import { buildImage } from "../../hal/model-chip/build-image";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { bootloader } from "./flash-dump";

export interface BuildOptions {
  /** esp_chip_id_t; default ESP32. */
  readonly chip?: number;
  /** MB of flash; default 4. */
  readonly megabytes?: number;
  readonly version?: string;
  readonly payload?: Uint8Array;
  /** Bytes of the app. */
  readonly size?: number;
}

/** By their names. */
export function boardBuild({
  chip = 0,
  megabytes = 4,
  version = "1.0.0",
  payload = Buffer.from("app"),
  size,
}: BuildOptions = {}): Record<"bootloader.bin" | "partition-table.bin" | "xs_esp32.bin", Uint8Array> {
  return {
    "bootloader.bin": bootloader(chip, megabytes),
    "partition-table.bin": partitionTableFor(megabytes << 20).toBinary(),
    "xs_esp32.bin": buildImage({ chip, version, payload, ...(size === undefined ? {} : { size }) }),
  };
}
