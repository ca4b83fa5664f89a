/**
 * Before anything of the firmware runs: the fakes of ESP-IDF start from the files and the reset reason that the test
 * names, with its settings in NVS.
 */
import { File } from "file";
import { Process } from "xs-ota/hal/moddable-sim/process";
import { encodeUtf8 } from "xs-ota/src/util/utf8";
import { FakeChip } from "fake-chip";

/** Of store.c. */
class Nvs {
  static setBytes(space: string, key: string, bytes: Uint8Array): void {
    native("xs_nvs_setBytes").call(this, space, key, bytes);
  }
}

const folder = Process.environment("XS_OTA_SIM") ?? "";
FakeChip.start(
  `${folder}/flash.bin`,
  `${folder}/nvs.bin`,
  Number(Process.environment("XS_OTA_SLOT")),
  Number(Process.environment("XS_OTA_REASON")),
);

const path = `${folder}/settings.json`;
if (File.exists(path)) {
  const file = new File(path);
  const settings = JSON.parse(file.read(String)) as { readonly [key: string]: unknown };
  file.close();
  for (const [key, value] of Object.entries(settings))
    Nvs.setBytes("xs-ota-cfg", key, encodeUtf8(`${String(value)}\0`));
}
