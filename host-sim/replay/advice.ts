/** What each cause of a failure means, and what helps. */
import type { Cause } from "../../src/job/types";
import type { RecordedEnd } from "./read-recording";

export const ADVICE: { readonly [cause in Cause]: string } = {
  "download-timeout":
    "no sector arrived for 15 minutes of trying. Look at the device's network and at the file server; push the image again, and it goes on at its checkpoint",
  "not-found": "the file server has no such file. Upload it again, or correct the URL of the task",
  "url-expired":
    "the URL was refused with 401 or 403, and fresh ones were too. Look at the time for which URLs are signed, and at the server's clock",
  download:
    "the file server answers in a way that no wait mends. Correct the server, or the size in the task; the text says what differs",
  "digest-mismatch":
    "the file is another one than was offered, or bytes were changed on the way, twice. Compare the digest in the task with that of the file on the server",
  rejected: "the device's own rules refuse the image. The text says which, and which setting allows it",
  signature: "no trusted key has signed the file. Sign it with `xs-ota sign`, or give the device the right key",
  flash:
    "the flash chip does not hold what is written at that address: the board may be worn. Replace it if it happens again",
  "rolled-back":
    "the new firmware was started and did not prove itself; the old one runs again. The text, and the boot before, say what its trial waited for",
};

/** Lines for `--explain`. */
export const adviceOn = (end: RecordedEnd | undefined): string[] => {
  const advice = end?.cause === undefined ? undefined : ADVICE[end.cause as Cause];
  return advice === undefined ? [] : [`meaning: ${advice}`];
};
