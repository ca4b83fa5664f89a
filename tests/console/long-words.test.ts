/** Words without a place to break them, in a real browser. Pictures go to build/console. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildImage } from "../../hal/model-chip/build-image";
import { BOARD, BOARD_ID, Board } from "../cloud/helpers";
import { launchChromium } from "./chromium";
import { ok, withHost } from "./helpers";

const PICTURES = fileURLToPath(new URL("../../build/console/", import.meta.url));
const NAME = "gateway_building_7_floor_3_meeting_room_ota_0042";
const LONG = "thermostat_eu_wave_2_retry_after_modem_firmware_fix_2026_11_28_with_new_roots";

test("what devices and people name without a break makes no page wider than its window", async (t) => {
  mkdirSync(PICTURES, { recursive: true });
  const browser = await launchChromium();
  t.after(() => browser.close());
  await withHost(async (host) => {
    const { cloud } = host;
    for (const deviceName of [BOARD.deviceName, NAME]) cloud.addDevice("tencent", { ...BOARD, deviceName });
    const image = buildImage({ version: "0.2.0", payload: Buffer.from("1") });
    const file = await cloud.packages.add(image, { name: `${LONG}.bin`, version: "9".repeat(36) });
    const wish = { package: file.id, selection: { kind: "all" }, name: LONG, startAt: Date.now() + 1e9 };
    const { rollout } = await ok<{ rollout: { id: string } }>(host, "/rollouts", { method: "POST", body: wish });

    const board = await Board.connect(cloud);
    const task = cloud.push(BOARD_ID, file);
    await board.version("9".repeat(3000));
    await board.progress(task.version, { state: "fail", result_code: "-5", result_msg: "8".repeat(3000) });
    await board.leave();
    assert.equal(cloud.devices.get(BOARD_ID)?.version, `${"9".repeat(63)}…`);
    assert.equal(cloud.tasks.get(task.id)?.message, `${"8".repeat(499)}…`);

    const page = await (await browser.newContext({ colorScheme: "light" })).newPage();
    page.setDefaultTimeout(240_000);
    await page.goto(host.link());
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    const wide: string[] = [];
    for (const [path, text] of [
      ["", LONG],
      ["packages", LONG],
      ["devices", NAME],
      [`devices/${encodeURIComponent(BOARD_ID)}`, "8".repeat(100)],
      ["rollouts", LONG],
      [`rollouts/${rollout.id}`, NAME],
      ["rollouts/new", LONG],
      ["journal", BOARD.deviceName],
    ] as const) {
      await page.goto(`http://127.0.0.1:${cloud.httpPort}/#/${path}`);
      await page.locator("#main").getByText(text).first().waitFor({ state: "attached" });
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 860 });
        const actual = (await page.evaluate("document.documentElement.scrollWidth")) as number;
        if (actual > width) wide.push(`${path}: ${actual} at ${width}`);
        const name = `long-${path.split("/")[0] || "overview"}-${path.split("/").length}-${width}.png`;
        await page.screenshot({ path: join(PICTURES, name) });
      }
    }
    assert.deepEqual(wide, []);
  });
});
