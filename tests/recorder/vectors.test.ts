/** Bytes of recordings that exist outside: they are read for ever as they were made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readRecording } from "../../host-sim/replay/read-recording";
import { RecordingWriter } from "../../src/recorder/recording-writer";

const written = (write: (writer: RecordingWriter) => void): string => {
  const writer = new RecordingWriter(256);
  write(writer);
  return Buffer.from(writer.written).toString("hex");
};

test("values", () => {
  const vectors: readonly (readonly [unknown, string])[] = [
    [undefined, "f0"],
    [false, "f1"],
    [true, "f2"],
    [0, "00"],
    [239, "ef"],
    [240, "f3f001"],
    [2 ** 53 - 1, "f3ffffffffffffff0f"],
    [-1, "f401"],
    [0.5, "f5000000000000e03f"],
    ["é", "f602c3a9"],
    ["version", "f700"],
    [Uint8Array.of(1, 2), "f8020102"],
    [[1, "a", "a"], "fa0301f60161f723"],
    [{ a: 1, b: undefined }, "fb01f6016101"],
    ["connection reset", "fe01"],
  ];
  for (const [value, bytes] of vectors)
    assert.equal(
      written((writer) => writer.value(value)),
      bytes,
    );
});

/** Made by version 0.1.0: an offer that is larger than the slot. */
const REFUSED_OFFER =
  "WFNSAQLeAfoN9gUwLjEuMPYGYjMzMzMzAPcY+gjy8PDy8vDw87DqAfoJeAIIQPHx8fLyAPHx+gb3Hfcj9gx4cy1vdGEtYm9hcmQA" +
  "APcf+gbw8gAAAAD6B/ce84CAfBD3IfDw8PoR8PDw8PDw8PDw8PDw8PDw8PAAAATSCfLwBgD3AAG2HfsD9wD2BTAuMi4w9wHzgICA" +
  "IPcC9w+F87myAfYIcmVqZWN0ZWT2OGltYWdlIG9mIDY3MTA4ODY0IGJ5dGVzIGRvZXMgbm90IGZpdCB0aGUgc2xvdCBvZiAyMDMx" +
  "NjE28VZs/PI=";

test("a refused offer", () => {
  const { agent, reference, run } = readRecording(Buffer.from(REFUSED_OFFER, "base64"));
  assert.deepEqual([agent, reference], ["0.1.0", "b33333"]);
  assert.deepEqual(run.entries, [
    { kind: "event", at: 0, type: "boot", fields: [] },
    { kind: "event", at: 1_234, type: "link", fields: [true, undefined] },
    { kind: "event", at: 1_234, type: "acked", fields: ["version"] },
    {
      kind: "event",
      at: 5_000,
      type: "offer",
      fields: [{ version: "0.2.0", size: 67_108_864, url: "http://file-0/" }],
    },
  ]);
  assert.equal(run.end?.cause, "rejected");
  assert.match(run.end?.message ?? "", /does not fit the slot/);
});
