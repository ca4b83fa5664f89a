/** X-CRC16: the checksum with which ThingsPanel proves a range. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { crc16 } from "../../src/download/crc16";
import { completes } from "./expect";
import { ascii, Bench, FILE, partial } from "./harness";
import type { Server } from "./harness";

test("CRC-16/USB: the published check value", () => assert.equal(crc16(ascii("123456789")), 0xb4c8));

test("X-CRC16 is checked per sector, before the sector is delivered", () => {
  const field = (bytes: Uint8Array): string => `X-CRC16: ${crc16(bytes).toString(16).padStart(4, "0")}\r\n`;
  let wrong = 2;
  const server: Server = (request) => {
    const right = FILE.subarray(request.first, Math.min(request.last + 1, FILE.length));
    if (request.first === 2 * SECTOR && wrong-- > 0) {
      const damaged = FILE.slice();
      damaged[request.first + 100]! ^= 1;
      return partial(damaged, request, field(right));
    }
    return partial(FILE, request, field(right));
  };
  const bench = completes(new Bench(server, { crc16: true }));
  assert.ok(bench.requests.every(({ first, last }) => last - first < SECTOR));
  assert.match(bench.waits[0]!.reason, /X-CRC16/);
  wrong = 2;
  assert.notDeepEqual(new Bench(server, { range: 2 * SECTOR }).run().image, FILE);
});
