import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/**
 * URLs that carry their own permission, in the form of Tencent's object store (COS, "Request signature", XML API) as
 * its IoT platform sends them to devices: the whole signature is one percent-encoded `sign` parameter.
 *
 * The access-key id names the device a URL was made for, so that what is served can be counted for each; its secret is
 * derived from the signer's own and never leaves it.
 */
export class UrlSigner {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** `path` is absolute and percent-encoded; times are seconds since 1970. Returns path and query. */
  sign(path: string, device: string, start: number, end: number, method: "GET" | "HEAD" = "GET"): string {
    return `${path}?${this.#query(method, path, device, start, end)}`;
  }

  /**
   * `query` as it stood on the wire: it must arrive verbatim, as object stores and many proxies demand. `now`: seconds.
   */
  verify(method: string, path: string, query: string, now: number): Verdict {
    const [, device, start, end] =
      /^sign=q-sign-algorithm%3Dsha1%26q-ak%3DAKID([\w-]*)%26q-sign-time%3D(\d{1,12})%3B(\d{1,12})%26/.exec(query) ??
      [];
    if (device === undefined || start === undefined || end === undefined) {
      return { ok: false, code: "AccessDenied", message: "Access Denied." };
    }
    const name = Buffer.from(device, "base64url").toString();
    const wanted = Buffer.from(this.#query(method, path, name, Number(start), Number(end)));
    const given = Buffer.from(query);
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) {
      return { ok: false, code: "SignatureDoesNotMatch", message: "The Signature you specified is invalid." };
    }
    if (now < Number(start) || now > Number(end)) {
      return { ok: false, code: "AccessDenied", message: "Request has expired" };
    }
    return { ok: true, device: name };
  }

  #query(method: string, path: string, device: string, start: number, end: number): string {
    const keyId = `AKID${Buffer.from(device).toString("base64url")}`;
    const time = `${start};${end}`;
    const request = `${method.toLowerCase()}\n${decodePath(path)}\n\n\n`;
    const signKey = hmac(hmac(this.#secret, keyId), time);
    const signature = hmac(signKey, `sha1\n${time}\n${createHash("sha1").update(request).digest("hex")}\n`);
    const sign =
      `q-sign-algorithm=sha1&q-ak=${keyId}&q-sign-time=${time}&q-key-time=${time}` +
      `&q-header-list=&q-url-param-list=&q-signature=${signature}`;
    return `sign=${encodeURIComponent(sign)}`;
  }
}

export type Verdict =
  | { readonly ok: true; readonly device: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

function hmac(key: string, text: string): string {
  return createHmac("sha1", key).update(text).digest("hex");
}

/** The store signs the decoded path; one that does not decode is signed as it is. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
