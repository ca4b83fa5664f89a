/** Puts settings into a board's NVS, as the factory or an engineer does with a chip, while no firmware runs. */
import { PowerCut } from "../../hal/model-chip/flash-chip";
import type { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import type { PartitionTable } from "../../hal/model-chip/partitions";
import type { FirmwareConfiguration } from "./firmware/configuration";
import { SETTINGS, SETTINGS_KEY } from "./firmware/settings";

/** Writes nothing where the same lies there already. Throws one line, with the size, if NVS can not hold them. */
export function putSettings(
  { chip, table }: { readonly chip: FlashChip; readonly table: PartitionTable },
  configuration: FirmwareConfiguration,
): void {
  const bytes = Buffer.from(JSON.stringify(configuration));
  try {
    new Nvs(chip, table.nvs, SETTINGS).setBytes(SETTINGS_KEY, bytes);
  } catch (error) {
    if (error instanceof PowerCut) throw error;
    const why = (error as Error).message;
    throw new Error(`the settings take ${bytes.length} bytes, which this board can not store: ${why}`, {
      cause: error,
    });
  }
}
