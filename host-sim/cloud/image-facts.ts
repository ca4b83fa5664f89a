/** What an ESP application image says of itself. */
export interface ImageFacts {
  readonly version: string;
  readonly project: string;
}

/** esp_app_desc_t stands at the start of the first segment: after the image header (24 bytes) and the segment's (8). */
const DESCRIPTION = 32;

/** Undefined for a file that is no ESP image with an app description (ESP-IDF, "App Image Format"). */
export function describeFile(bytes: Uint8Array): ImageFacts | undefined {
  if (bytes.length < DESCRIPTION + 80 || bytes[0] !== 0xe9) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(DESCRIPTION, true) !== 0xabcd5432) return undefined;
  const version = text(bytes.subarray(DESCRIPTION + 16, DESCRIPTION + 48));
  return version === "" ? undefined : { version, project: text(bytes.subarray(DESCRIPTION + 48, DESCRIPTION + 80)) };
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
}
