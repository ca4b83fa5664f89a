/**
 * Bytes as a string that NVS can hold: any bytes, written without a zero byte (Consistent Overhead Byte Stuffing: S.
 * Cheshire and M. Baker, IEEE/ACM Transactions on Networking 7(2), 1999), at most 1 byte in 254 longer, plus one.
 *
 * Why not an NVS blob: a blob is two items, its data and its index, and ESP-IDF's mount destroys the OLD value when the
 * power goes out between the two while both versions' data lie in one page (nvs_page.cpp, mLoadEntryTable, "check that
 * last item is not duplicate", looks a data item up without its chunk number). A string is one item: old value or new.
 */

const RUN = 254;

export const cobsEncode = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(bytes.length + Math.floor(bytes.length / RUN) + 1);
  let code = 0;
  let length = 1;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    if (byte !== 0) out[length++] = byte;
    if (byte === 0 || length - code > RUN) {
      out[code] = length - code;
      code = length++;
    }
  }
  out[code] = length - code;
  return out.subarray(0, length);
};

/** Undefined if `cobsEncode` can not have written this. */
export const cobsDecode = (stuffed: Uint8Array): Uint8Array | undefined => {
  const out = new Uint8Array(stuffed.length);
  let length = 0;
  for (let at = 0; at < stuffed.length;) {
    const code = stuffed[at]!;
    if (code === 0 || at + code > stuffed.length) return undefined;
    for (let index = at + 1; index < at + code; index++) {
      if (stuffed[index] === 0) return undefined;
      out[length++] = stuffed[index]!;
    }
    at += code;
    if (code <= RUN && at < stuffed.length) out[length++] = 0;
  }
  return stuffed.length === 0 ? undefined : out.subarray(0, length);
};
