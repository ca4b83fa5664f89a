/** The console flashes a board, in a real browser. Pictures go to build/console. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import type { CloudHost } from "../../host-sim/cloud/cloud-host";
import { launchChromium } from "../console/chromium";
import { ok, raw, withHost } from "../console/helpers";
import { takePictures } from "../console/pictures";
import { boardBuild, type BuildOptions } from "../kit/board-build";
import { temporaryFolder } from "../kit/folder";
import { ESP32 } from "../rom-loader/registers";
import { BoardAtPort } from "./board-at-port";

const PICTURES = fileURLToPath(new URL("../../build/console/", import.meta.url));
/** Longest that anything may take on a loaded machine, ms. */
const TIME_LIMIT = 240_000;

let browser: Browser;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launchChromium();
});
after(() => browser?.close());

/** The page for a new board; `prepare` comes before it is opened. */
async function flashPage(host: CloudHost, prepare: (page: Page) => Promise<unknown>): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  context.setDefaultTimeout(TIME_LIMIT);
  const page = await context.newPage();
  await prepare(page);
  await page.goto(host.link());
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await page.goto(`http://127.0.0.1:${host.cloud.httpPort}/#/devices/flash`);
  await page.getByRole("heading", { level: 1, name: "Add a real board" }).waitFor();
  return page;
}

function writeBuild(folder: string, options: BuildOptions): string {
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(boardBuild(options))) writeFileSync(join(folder, name), bytes);
  return folder;
}

test("a blank board is flashed, started, comes online and takes an update", async (t) => {
  const folder = temporaryFolder(t);
  const payload = await firmwarePayload("1.0.0");
  const build = writeBuild(join(folder, "build"), { version: "1.0.0", payload });
  const board = new BoardAtPort({ chip: ESP32, flash: FlashChip.inMemory(4 << 20) }, folder);
  t.after(() => board.close());
  await withHost(async (host) => {
    const elsewhere: string[] = [];
    const page = await flashPage(host, async (opened) => {
      opened.on("pageerror", (error) => elsewhere.push(error.message));
      opened.on("request", (request) => {
        const { origin } = new URL(request.url());
        const body = request.postData() ?? "";
        if (origin !== `http://127.0.0.1:${host.cloud.httpPort}` || body.includes("wlan-secret"))
          elsewhere.push(request.url());
      });
      await board.plugInto(opened);
    });
    // In the middle of the firmware, for the picture.
    board.pauseAfter(70_000);
    await page.getByLabel("Folder of mcconfig's output").setInputFiles(build);
    await page.getByText("xs-ota-board 1.0.0 for ESP32, 4 MB of flash").waitFor();
    await page.getByLabel("Wi-Fi network").fill("Hall 7");
    await page.getByLabel("Wi-Fi password").fill("wlan-secret");
    await page.getByLabel("Device name").fill("line-0042");
    await page.getByRole("button", { name: "Choose the port and flash" }).click();
    await page.getByRole("progressbar", { name: "flashing" }).waitFor();
    await takePictures(page, PICTURES, "20-flashing");
    board.resume();
    await page.getByText("is online with firmware 1.0.0").waitFor();
    assert.match(await page.getByLabel("what the board prints").innerText(), /SPI_FAST_FLASH_BOOT[^]*"event":"boot"/);
    await takePictures(page, PICTURES, "21-flashed");
    const files = boardBuild({ version: "1.0.0", payload });
    for (const [name, address] of [
      ["bootloader.bin", 0x1000],
      ["partition-table.bin", 0x8000],
      ["xs_esp32.bin", partitionTableFor(4 << 20).slots[0].address],
    ] as const) {
      const flashed = Buffer.alloc(files[name].length);
      board.loader.flash.read(address, flashed);
      assert.ok(flashed.equals(files[name]), name);
    }
    const { ssid, password, deviceName } = board.settings();
    assert.deepEqual([ssid, password, deviceName], ["Hall 7", "wlan-secret", "line-0042"]);
    assert.equal(await page.getByLabel("Device name").inputValue(), "line-0043");
    await page.getByRole("button", { name: "Flash the next board" }).waitFor();
    assert.deepEqual(elsewhere, []);
    const licences = (await raw(host.cloud.httpPort, "/console/licences.txt")).body.toString();
    for (const word of ["esptool-js 0", "Apache License", "pako 2", "js-md5 0", "preact 11"])
      assert.ok(licences.includes(word), word);

    const { id } = await ok<{ id: string }>(host, "/packages/samples", { method: "POST", body: { version: "1.1.0" } });
    await ok(host, "/rollouts", { method: "POST", body: { package: id, selection: { kind: "all" } } });
    await page.getByText("is online with firmware 1.1.0").waitFor();
    await board.device!.event("confirmed");
    await page.context().close();
  });
});

test("what stands in the way is said where it stands: the browser, the build, the board, the name", async (t) => {
  const folder = temporaryFolder(t);
  const payload = Buffer.from("app");
  const four = writeBuild(join(folder, "four"), { payload });
  const sixteen = writeBuild(join(folder, "sixteen"), { payload, megabytes: 16 });
  const empty = join(folder, "empty");
  mkdirSync(empty);
  writeFileSync(join(empty, "notes.txt"), "no build");
  await withHost(async (host) => {
    const hidden = await flashPage(host, (page) => page.addInitScript("delete Navigator.prototype.serial"));
    await hidden.getByRole("alert").getByText("This browser has no serial ports").waitFor();
    await hidden.context().close();
    const far = await flashPage(host, (page) =>
      page.addInitScript('Object.defineProperty(window, "isSecureContext", { value: false })'),
    );
    await far.getByRole("alert").getByText("over plain http from another machine").waitFor();
    await far.context().close();

    const board = new BoardAtPort({ chip: ESP32, flash: FlashChip.inMemory(4 << 20) }, folder);
    const page = await flashPage(host, (opened) => board.plugInto(opened));
    const alert = (text: string): Promise<void> => page.getByRole("alert").getByText(text).waitFor();
    const choose = (path: string): Promise<void> => page.getByLabel("Folder of mcconfig's output").setInputFiles(path);
    const flash = (): Promise<void> => page.getByRole("button", { name: "Choose the port and flash" }).click();
    await choose(empty);
    await alert("There is no bootloader.bin in it");
    assert.ok(await page.getByRole("button", { name: "Choose the port and flash" }).isDisabled());
    await page.getByLabel("Device name").fill("line-1");
    await choose(sixteen);
    await flash();
    await alert("The build is for 16 MB of flash, this board has 4 MB. Nothing was written.");
    const { total } = await ok<{ total: number }>(host, "/devices");
    assert.equal(total, 0, "no device was made");
    const identity = { productId: "XSOTADESK1", deviceName: "line-1", deviceSecret: "c2VjcmV0c2VjcmV0" };
    await ok(host, "/devices", { method: "POST", body: { devices: [{ platform: "tencent", identity }] } });
    await choose(four);
    await flash();
    await alert("is there already.");
    await takePictures(page, PICTURES, "22-not-flashed");
    assert.equal(board.loader.flash.counts().erases, 0);
    await page.context().close();
  });
});
