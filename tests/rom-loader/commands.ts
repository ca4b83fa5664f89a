/** Commands of the serial protocol by their numbers. */
export const Op = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memoryBegin: 0x05,
  memoryEnd: 0x06,
  memoryData: 0x07,
  sync: 0x08,
  writeRegister: 0x09,
  readRegister: 0x0a,
  setParameters: 0x0b,
  attach: 0x0d,
  readSlow: 0x0e,
  changeBaud: 0x0f,
  deflateBegin: 0x10,
  deflateData: 0x11,
  deflateEnd: 0x12,
  flashMd5: 0x13,
  securityInfo: 0x14,
  eraseFlash: 0xd0,
  eraseRegion: 0xd1,
  readFlash: 0xd2,
} as const;
export const COMMANDS: readonly number[] = Object.values(Op);
/** Commands that the ROM does not know, that the stub does not, and that secure download mode leaves. */
export const STUB_ONLY: readonly number[] = [Op.eraseFlash, Op.eraseRegion, Op.readFlash];
export const ROM_ONLY: readonly number[] = [Op.readSlow];
export const SECURE_DOWNLOAD: readonly number[] = [
  Op.flashBegin,
  Op.flashData,
  Op.flashEnd,
  Op.deflateBegin,
  Op.deflateData,
  Op.deflateEnd,
  Op.attach,
  Op.setParameters,
  Op.securityInfo,
];
