import type { Cause } from "../job/types";

/**
 * Result codes of Tencent's document 1105/41507. A cause without a code of its own is -5, "firmware update failed". Clouds
 * without codes of their own get these too: there is no other list that people know.
 */
export const RESULT_CODES: { readonly [cause in Cause]: number } = Object.freeze({
  "download-timeout": -1,
  "not-found": -2,
  "url-expired": -3,
  "digest-mismatch": -4,
  download: -5,
  rejected: -5,
  signature: -5,
  flash: -5,
  "rolled-back": -5,
});
