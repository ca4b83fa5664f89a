/** Searches what a device hands out for what it must keep. */
import assert from "node:assert/strict";

/** Of the network that a device joins. */
export const WIFI_PASSWORD = "wlan-p4ssword";

const BASE64 = /[A-Za-z0-9+/]{16,}={0,2}/g;

/** Each as it is, as a URL has it, in hex and, wherever it begins in a longer text, in base64. */
const spellings = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret, "latin1");
  const shifted = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      // The digits that depend on the bytes around it.
      .slice(before === 0 ? 0 : before + 1)
      .replace(/=+$/, "")
      .slice(0, -2),
  );
  return [secret, encodeURIComponent(secret), bytes.toString("hex"), ...shifted];
};

/** `told`: recordings, lines of a log, anything else. Base64 in a text is looked into. */
export const checkSilence = (told: readonly (string | Uint8Array)[], secrets: readonly string[]): void => {
  const texts = told.flatMap((each) => {
    const text = Buffer.from(each).toString("latin1");
    return [text, ...(text.match(BASE64) ?? []).map((inner) => Buffer.from(inner, "base64").toString("latin1"))];
  });
  for (const secret of secrets) {
    assert.ok(secret.length >= 8, `${secret}: it may occur by chance`);
    for (const spelling of spellings(secret))
      for (const text of texts) assert.ok(!text.includes(spelling), `${secret} is told: ${text.slice(0, 200)}`);
  }
};
