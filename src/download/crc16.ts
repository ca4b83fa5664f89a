/** Remainders of the 16 values of four bits, polynomial 0x8005 reflected. */
const NIBBLES: readonly number[] = Object.freeze([
  0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01,
  0x8801, 0x4400,
]);

/**
 * CRC-16/USB, which ThingsPanel sends as X-CRC16 with every range: polynomial 0x8005 reflected, initial value and final
 * exclusive-or 0xFFFF; "123456789" gives 0xB4C8.
 */
export const crc16 = (bytes: Uint8Array): number => {
  let crc = 0xffff;
  for (let at = 0; at < bytes.length; at++) {
    crc ^= bytes[at]!;
    crc = (crc >> 4) ^ NIBBLES[crc & 15]!;
    crc = (crc >> 4) ^ NIBBLES[crc & 15]!;
  }
  return crc ^ 0xffff;
};
