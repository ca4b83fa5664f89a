import { decodeBase64 } from "../util/base64";

const BEGIN = "-----BEGIN ";
const END = "-----END ";

/** The DER bytes of every block in a PEM file (RFC 7468) whose label is `label`. Throws where one is not base64. */
export const pemBlocks = (text: string, label: string): Uint8Array[] => {
  return text
    .split(`${BEGIN}${label}-----`)
    .slice(1)
    .map((block) => decodeBase64((block.split(END)[0] ?? "").replace(/\s+/g, "")));
};
