/** What is burnt into a chip's eFuses that forbids plain flashing. */
import { UnsupportedCommandError, type ESPLoader } from "esptool-js";

/** Registers of ROMs that know no GET_SECURITY_INFO: esptool's targets, SPI_BOOT_CRYPT_CNT and SECURE_BOOT_EN. */
const FUSES: Readonly<Record<number, { readonly encryption: Fuse; readonly secureBoot: Fuse }>> = {
  0: { encryption: [0x3ff5a000, 0x7f << 20], secureBoot: [0x3ff5a018, 3 << 4] },
  5: { encryption: [0x60008834, 7 << 18], secureBoot: [0x60008838, 1 << 20] },
};

type Fuse = readonly [address: number, mask: number];

/** Rejects with one line where plain firmware would leave a dead board. `chip`: esp_chip_id_t. */
export async function refuseSecured(loader: ESPLoader, chip: number): Promise<void> {
  const { download, encryption, secureBoot } = await securityOf(loader, chip);
  if (encryption)
    throw new Error(
      "flash encryption is on in this board: it would not start what is flashed as plain text. Nothing was written",
    );
  if (secureBoot)
    throw new Error(
      "secure boot is on in this board: it starts only what is signed with its own key. Nothing was written",
    );
  if (download)
    throw new Error("secure download mode is on in this board: nothing can be checked through it. Nothing was written");
}

async function securityOf(
  loader: ESPLoader,
  chip: number,
): Promise<{ readonly download: boolean; readonly encryption: boolean; readonly secureBoot: boolean }> {
  try {
    const { parsedFlags, flashCryptCnt } = await loader.getSecurityInfo();
    return {
      download: parsedFlags.SECURE_DOWNLOAD_ENABLE,
      encryption: isOdd(flashCryptCnt),
      secureBoot: parsedFlags.SECURE_BOOT_EN,
    };
  } catch (error) {
    const fuses = FUSES[chip];
    if (!(error instanceof UnsupportedCommandError) || fuses === undefined) throw error;
    const bits = async ([address, mask]: Fuse): Promise<number> => ((await loader.readReg(address)) & mask) >>> 0;
    return {
      download: false,
      encryption: isOdd(await bits(fuses.encryption)),
      secureBoot: (await bits(fuses.secureBoot)) !== 0,
    };
  }
}

/** Encryption is on where an odd number of the counter's bits is burnt. */
function isOdd(bits: number): boolean {
  let count = 0;
  for (let rest = bits; rest !== 0; rest >>>= 1) count += rest & 1;
  return count % 2 === 1;
}
