/** The table of answers: every row is used, its words are whole, and labels that mean nothing have no row. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { ANSWERS, fault } from "../../src/download/answers";
import type { AnswerName } from "../../src/download/answers";
import { completes, fails } from "./expect";
import { Bench, FILE, good } from "./harness";

const names = Object.keys(ANSWERS) as AnswerName[];

test("every row of the table is an answer that the downloader gives", () => {
  const folder = new URL("../../src/download/", import.meta.url);
  const source = readdirSync(folder)
    .filter((file) => file !== "answers.ts")
    .map((file) => readFileSync(new URL(file, folder), "utf8"))
    .join("");
  assert.deepEqual(
    names.filter((name) => !source.includes(`"${name}"`)),
    [],
  );
});

test("the words of each row fit a report, with every detail in its place", () => {
  for (const name of names) {
    const { message } = fault(name, 503, 1_234_567, 2_345_678);
    assert.ok(message.startsWith("HTTP 503: "), message);
    assert.ok(message.length <= 128 && !message.includes("$"), message);
    assert.ok(!fault(name, 0, 1, 2).message.startsWith("HTTP"));
  }
  assert.equal(fault("socket", 0, "odd $& words").message, "odd $& words");
});

for (const label of ["UTF-8", "utf-8, identity", "binary", "aws-chunked", "none"])
  test(`a Content-Encoding that names no compression changes nothing: ${label}`, () => {
    completes(new Bench(good(FILE, `Content-Encoding: ${label}\r\n`)));
  });

for (const label of ["gzip", "br", "utf-8, Deflate", "zstd"])
  test(`a Content-Encoding that compresses is one clear failure: ${label}`, () => {
    fails(new Bench(good(FILE, `Content-Encoding: ${label}\r\n`)), "download", /^HTTP 206: the body is encoded/);
  });

test("Transfer-Encoding: identity beside a Content-Length changes nothing", () => {
  const bench = completes(new Bench(good(FILE, "Transfer-Encoding: identity\r\n")));
  assert.equal(bench.connects.length, 1);
});

test("400 over TLS asks for the client certificate", () => {
  const server = () => ["HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"];
  fails(new Bench(server, { url: "https://files.example/fw.bin" }), "download", /^HTTP 400: .*client certificate/);
});
