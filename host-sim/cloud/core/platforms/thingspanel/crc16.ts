/**
 * The three checksums that the download endpoint offers (howeyc/crc16, whose names mislead). Check values are those of
 * "123456789".
 */

export type Crc16Method = "IBM" | "CCITT" | "MODBUS";

const METHODS: { readonly [method in Crc16Method]: (bytes: Uint8Array) => number } = {
  /** CRC-16/USB: b4c8. */
  IBM: (bytes) => reflected(bytes, 0xa001),
  /** CRC-16/X-25: 906e. */
  CCITT: (bytes) => reflected(bytes, 0x8408),
  /** Polynomial 0x3D65, not reflected, nothing inverted: 3d48. Not the Modbus CRC. */
  MODBUS: (bytes) => {
    let crc = 0;
    for (const byte of bytes) {
      crc ^= byte << 8;
      for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x3d65) & 0xffff : crc << 1;
    }
    return crc;
  },
};

/** Four lower-case hex digits. `method`: the request header's text; anything but the other two names means IBM. */
export function checksum(method: string | undefined, bytes: Uint8Array): string {
  const known = method === "CCITT" || method === "MODBUS" ? method : "IBM";
  return METHODS[known](bytes).toString(16).padStart(4, "0");
}

/** Reflected, with initial value and final exclusive-or 0xFFFF. */
function reflected(bytes: Uint8Array, polynomial: number): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ polynomial : crc >> 1;
  }
  return crc ^ 0xffff;
}
