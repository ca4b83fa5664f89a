import assert from "node:assert/strict";
import { test } from "node:test";
import { BOARD, BOARD_ID, Board, firmware, withCloud } from "./helpers";

test("downloads are offered by another way where the cloud is told of one; a device's own way comes first", async () => {
  await withCloud({ downloadOrigin: "http://127.0.0.1:18080" }, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const file = await cloud.packages.add(firmware(5_000), { name: "fw.bin", version: "0.2.0" });
    const board = await Board.connect(cloud);
    cloud.push(BOARD_ID, file);
    assert.match(String((await board.next())["url"]), /^http:\/\/127\.0\.0\.1:18080\//);
    cloud.route(BOARD_ID, "http://127.0.0.1:28080");
    cloud.push(BOARD_ID, file);
    assert.match(String((await board.next())["url"]), /^http:\/\/127\.0\.0\.1:28080\//);
    await board.leave();
  });
});
