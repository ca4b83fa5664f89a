/** Answers of file servers. */
import { ANSWERS } from "../../../src/download/answers";
import type { AnswerName } from "../../../src/download/answers";
import type { Row } from "./row";

/** Answers of a file server whose words are fixed. */
const SENTENCES: { readonly [name in Exclude<AnswerName, "socket" | "certificate">]: string } = {
  throttled: "the file server limits how often it is asked: raise its limit, or roll out to fewer devices at a time",
  unavailable: "the file server is overloaded or in maintenance (503): look at its load, and push the image again",
  busy: "the file server or what stands behind it breaks down (5xx): look into its log, and push the image again",
  denied:
    "the file server refuses the URL (401 or 403): let URLs live longer, set the server's clock, or look for a limiter that answers 403",
  password: "the file server wants a user name and password: offer a URL that needs none",
  missing: "the file is not on the server: upload it again, or correct the URL of the task",
  empty: "the file server answers without a byte, the file is not there: upload it again, or correct the URL",
  json: "the file server answers with JSON in place of the file: read its error at that URL, upload the file again",
  page: "a web page comes in place of the file, as from a login page or a captive portal: free the device's network of it, or correct the URL",
  "bad-plain":
    "the file server refuses the request (400): if the port is for TLS the URL must say https, else look into the server's log",
  "bad-tls":
    "the file server refuses the request (400) behind TLS: turn off its demand for client certificates, or look into its log",
  range: "the file server refuses the range although the file has it: put the right file there, or mend its ranges",
  ranges: "the file server refuses every range: offer the size in the task, or use a server that answers ranges",
  nothing: "the file on the server is empty: upload it again",
  status: "the file server gives an answer that a download cannot have: open the URL by hand, and look into its log",
  "redirect-nowhere": "the file server redirects without a target: mend its redirect",
  "redirect-long": "the file server redirects to a URL that is too long: shorten it to 2,048 bytes",
  "redirect-loop": "the file server redirects in circles: mend its redirects, five in a row are followed",
  "redirect-plain": "the file server redirects from https to http: let it redirect to https",
  "redirect-target": "the file server redirects to what is no http or https URL: mend its redirect",
  encoded: "the file server compresses the file on the way: turn compression off for it",
  "no-range": "the file server answers 206 without Content-Range: mend its ranges, or turn them off",
  "bad-range": "the file server's Content-Range cannot be read: mend its ranges, or turn them off",
  beyond: "the file server's Content-Range goes beyond the file: mend its ranges, or turn them off",
  "no-length": "the file server does not tell the length of the file: offer the size in the task",
  size: "the file on the server has another size than the task says: upload the right file, or correct the task",
  start: "the file server answers with other bytes than asked for: mend its ranges or the cache before it",
  shrunk: "the file on the server has become shorter than what is stored of it: upload it again, and push a new task",
  longer: "the file on the server is longer than the task says: upload the right file, or correct the task",
  lengths: "the file server contradicts itself in Content-Length: look at proxies between, and mend them",
  short:
    "answers end before their length, as behind a proxy that breaks off: look at the server's and its proxies' logs",
  surplus: "answers are longer than the file server says: look at proxies between, and mend them",
  crc: "bytes of the download do not fit the server's checksum: look at proxies between, and push the image again",
  garbage:
    "what answers does not speak HTTP as it should: correct the port and scheme of the URL, or look at proxies between",
  silence: "the file server, or the line to it, falls silent: look at the device's signal and at the server's load",
  "no-connection":
    "nothing answers the connect: look whether the server is up, and whether a firewall lets the device through",
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The words of an answer in a text; what is particular is any text. */
const wordsOf = (name: keyof typeof SENTENCES): RegExp =>
  new RegExp((name === "unavailable" ? "HTTP 503: " : "") + ANSWERS[name][2].split("$").map(escaped).join("\\S+"));

export const FILE_SERVER: readonly Row[] = (Object.keys(SENTENCES) as (keyof typeof SENTENCES)[]).map((name) => [
  name,
  wordsOf(name),
  SENTENCES[name],
]);
