/** What an idle day costs on each platform: the figures of docs/PLATFORMS.md, counted on the whole agent over a virtual network. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { measureIdle, plainCells } from "../../bench/measure/idle";

const DAY = 86_400;

test("an idle day: a request and an answer for each poll, or the packets of one connection; docs/PLATFORMS.md has the figures", async () => {
  const document = readFileSync(new URL("../../docs/PLATFORMS.md", import.meta.url), "utf8").replace(/ +\|/g, " |");
  for (const row of await measureIdle()) {
    const { pollSeconds } = row.kind;
    if (pollSeconds === undefined) assert.equal(row.connections, 0, `${row.kind.title}: the connection stays`);
    else assert.equal(row.connections, DAY / pollSeconds, `${row.kind.title}: a connection for each poll`);
    const cells = plainCells(row).map((cell) => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell));
    const line = `| ${cells.join(" | ")} |`;
    assert.ok(document.includes(line), line);
  }
});
