/**
 * The console as a new user meets it, in a real browser against `xs-ota cloud` as it is typed. With XS_OTA_TEST_BROKER
 * set to the URL of a broker, everything goes over that one. Pictures of every page go to build/console.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchChromium } from "./chromium";
import { startCloud, type CloudProcess } from "./cloud-process";
import { takePictures } from "./pictures";
import { checkRecording } from "./recording-page";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

const BROKER = process.env["XS_OTA_TEST_BROKER"];
const PICTURES = fileURLToPath(new URL("../../build/console/", import.meta.url));
/** Longest that anything may take on a loaded machine, ms. */
const TIME_LIMIT = 240_000;

let folder = "";
let cloud: CloudProcess;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "xs-ota-browser-"));
  await mkdir(PICTURES, { recursive: true });
  [cloud, browser] = await Promise.all([
    startCloud(join(folder, "state"), ...(BROKER === undefined ? [] : ["--broker", BROKER])),
    launchChromium(),
  ]);
  const viewport = { width: 1280, height: 860 };
  context = await browser.newContext({ viewport, colorScheme: "light", acceptDownloads: true });
  context.setDefaultTimeout(TIME_LIMIT);
  page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // Calls that are refused on purpose.
    if (message.type() === "error" && !/status of 4(01|04|22)/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(cloud.origin)) complaints.push(`asked elsewhere: ${request.url()}`);
  });
});

after(async () => {
  await browser?.close();
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

let broken = false;

/** Each goes on where the one before left off. */
function step(name: string, work: () => Promise<void>): void {
  void test(name, async () => {
    assert.ok(!broken, "a step before this one failed");
    broken = true;
    await work();
    broken = false;
  });
}

const picture = (name: string): Promise<void> => takePictures(page, PICTURES, name);

const nav = (name: string): Promise<void> => page.getByRole("navigation").getByRole("link", { name }).click();
const heading = (name: string | RegExp): Promise<void> => page.getByRole("heading", { level: 1, name }).waitFor();

step("without the link it is closed; the link opens it, once, and leaves no token in the address", async () => {
  await page.goto(cloud.origin);
  await heading("This console is closed");
  await picture("01-closed");
  await page.goto(cloud.link);
  await page.reload();
  await heading("Overview");
  assert.ok(!page.url().includes("token"));
  await page.getByText("Try an update in three steps").waitFor();
  await picture("02-overview-empty");

  const stranger = await browser.newContext();
  const second = await stranger.newPage();
  await second.goto(cloud.link);
  await second.getByRole("heading", { name: "This console is closed" }).waitFor();
  await stranger.close();
  assert.equal(await page.evaluate("document.cookie"), "", "scripts can not read the session");
});

step("empty pages tell the next step", async () => {
  for (const [name, words] of [
    ["Packages", "No firmware yet"],
    ["Devices", "No device yet"],
    ["Rollouts", "No rollout yet"],
    ["Journal", "Nothing to report"],
  ] as const) {
    await nav(name);
    await page.getByText(words).waitFor();
    await picture(`03-${name.toLowerCase()}-empty`);
  }
  await page.goto(`${cloud.origin}/#/rollouts/new`);
  await page.getByText("There is no firmware to roll out").waitFor();
});

step("upload: version, size, digest and signature are read from the image; a bad file is named in place", async () => {
  const image = await sampleImage("0.2.0", undefined, 200_000);
  const name = "<img src=x onerror=alert(1)>.bin";
  await nav("Packages");
  await page
    .getByLabel("Upload firmware")
    .setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(image) });
  await page.getByRole("status").getByText("is here as version 0.2.0").waitFor();
  const row = page.getByRole("row").filter({ hasText: "0.2.0" });
  await row.getByText("200 kB (200,000 bytes)").waitFor();
  await row.getByText("none").waitFor();
  await row.getByText("ESP32 · xs-ota-board").waitFor();
  const md5 = createHash("md5").update(image).digest("hex");
  await row.getByRole("button", { name: `copy ${md5}` }).waitFor();
  await row.getByText(name).waitFor();
  assert.equal(await page.locator("#main img").count(), 0, "a name is text");

  await page
    .getByLabel("Upload firmware")
    .setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no firmware at all") });
  await page.getByRole("alert").getByText("Not an ESP image that names its version").waitFor();
  await page.getByLabel("Version", { exact: true }).fill("9.9");
  await page
    .getByLabel("Upload firmware")
    .setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no firmware at all") });
  await page.getByRole("row").filter({ hasText: "notes.txt" }).getByText("not an ESP image").waitFor();
  await picture("04-packages");
  await page.getByRole("row").filter({ hasText: "notes.txt" }).getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Really remove?" }).click();
  await page.getByRole("row").filter({ hasText: "notes.txt" }).waitFor({ state: "detached" });
});

step("a simulated board is one click away, and comes online", async () => {
  await nav("Devices");
  await page.getByRole("button", { name: "Add a simulated board" }).first().click();
  const row = page.getByRole("row").filter({ hasText: "board-1" });
  await row.getByText("online").waitFor();
  await row.getByText("0.1.0").waitFor();
  await row.getByText("ota_0").waitFor();
});

step("push, watch it finish: the rollout's report, the device's page and its flash tell the same", async () => {
  await nav("Rollouts");
  await page.getByRole("link", { name: "New rollout" }).first().click();
  await heading("New rollout");
  await picture("05-new-rollout");
  await page.getByRole("button", { name: "Start the rollout" }).click();
  await heading(/0\.2\.0 for 1 device/);
  await page.getByText("finished", { exact: true }).waitFor();
  await page.locator(".tile.success .number", { hasText: "1" }).waitFor();
  await page.getByRole("img", { name: /1 asked, 1 succeeded, 0 failed/ }).waitFor();
  await picture("06-rollout");
  await page.getByRole("link", { name: "board-1" }).click();
  await heading(/board-1/);
  await page.locator(".facts").getByText("0.2.0").waitFor();
  await page.locator(".facts").getByText("ota_1").waitFor();
  await page.getByRole("img", { name: /^ota_1: \d+ sectors bootable image/ }).waitFor();
  await page.getByRole("list", { name: "messages, newest first" }).getByText('"state":"done"').waitFor();
  await page.getByRole("list", { name: "what the board reports, newest first" }).getByText("confirms 0.2.0").waitFor();
  await picture("07-device");
  assert.ok(!(await page.content()).includes("q-signature"), "signatures of URLs are not shown");
});

step("power cut in mid-download: the map shows what is safe, and the board goes on from there", async () => {
  await page.getByRole("button", { name: "push firmware: good" }).click();
  await page.getByRole("img", { name: /ota_0: .*sectors written and read back/ }).waitFor();
  await page.getByRole("progressbar", { name: "update to 0.2.1" }).waitFor();
  await page.getByRole("button", { name: "Cut the power" }).click();
  await page.getByText("power off").waitFor();
  if (BROKER === undefined) await page.getByRole("heading", { level: 1 }).getByText("offline").waitFor();
  await picture("08-power-cut");
  await page.getByRole("button", { name: "Restore the power" }).click();
  await page.getByText(/resumes at byte \d{4,}/).waitFor();
  await page.getByText("confirms 0.2.1").waitFor();
  await page.locator(".facts").getByText("0.2.1").waitFor();
});

step("bad firmware is rolled back, and the rollout says why", async () => {
  await page.getByRole("button", { name: "push firmware: throws" }).click();
  const updates = page.getByRole("table", { name: "updates of this device" });
  await updates.getByRole("row").filter({ hasText: "0.2.2-throw" }).getByText("failure").waitFor();
  await updates.getByText(/^-5: trial: the new firmware did not come to powerOn/).waitFor();
  await page.locator(".facts").getByText("0.2.1").waitFor();
  await picture("09-rolled-back");
});

step("a failed device shows its recording, and hands out the file", () => checkRecording(page, picture));

step("behind the weak link the update takes its time; back on a good one it finishes", async () => {
  await page.getByRole("button", { name: "Weaken the link" }).click();
  await page.getByText("weak link", { exact: true }).waitFor();
  await page.getByRole("button", { name: "push firmware: good" }).click();
  await page.getByRole("progressbar", { name: "update to 0.2.2" }).waitFor();
  await picture("10-weak-link");
  await page.getByRole("button", { name: "Back to a good link" }).click();
  // Exact: the step before had 0.2.2-throw.
  await page.locator(".facts").getByText("0.2.2", { exact: true }).waitFor();
});

step("a pasted list in waves halts at its limit, says so, and goes on when told to", async () => {
  const identities = ["field-1", "field-2", "field-3"].map((deviceName) => ({
    productId: "XSOTADESK1",
    deviceName,
    deviceSecret: "c2VjcmV0c2VjcmV0",
  }));
  const ids = await cloud.client.addDevices("tencent", identities);
  const bad = await sampleImage("0.4.0-throw", "throw");
  const file = join(folder, "bad.bin");
  await writeFile(file, bad);
  await nav("Packages");
  await page.getByLabel("Upload firmware").setInputFiles(file);
  await page.getByRole("link", { name: "Roll it out" }).click();
  await page.getByLabel("A list of device names").check();
  await page
    .getByLabel(/device names.*names? separated|device names/)
    .last()
    .fill("board-1\nfield-1, field-2 field-3 nobody");
  await page.getByText("5 names").waitFor();
  await page.getByRole("combobox", { name: /^Waves/ }).selectOption({ label: "Waves of my own" });
  await page.getByLabel("Percent of the devices after each wave").fill("25, 100");
  await page.getByRole("button", { name: "Start the rollout" }).click();
  await page.getByText("1 name is unknown").waitFor();
  await page.getByRole("link", { name: "Go to the rollout" }).click();
  await page.getByText("Halted: 1 of 1 devices failed, and 10 % may.").waitFor();
  await page.getByText("not released").waitFor();
  await picture("11-halted");
  await page.getByRole("button", { name: "Retry 1 failure" }).click();
  // Remembered by its digest: refused at once, without a download. The reason distinguishes this failure from the
  // first.
  await page.getByText("2 attempts").waitFor();
  await page.locator(".reasons").getByText("it is not tried again").waitFor();
  await page.getByRole("button", { name: "Retry 1 failure" }).waitFor();
  await page.getByRole("button", { name: "Go on anyway" }).click();
  await page.getByText("Halted:").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Cancel the rest?" }).click();
  await page.getByText("cancelled", { exact: true }).first().waitFor();
  await page.locator(".tile.cancelled .number", { hasText: "3" }).waitFor();
  assert.equal(ids.length, 3);
});

step("a rollout for later waits for its time, and can be cancelled before", async () => {
  await page.goto(`${cloud.origin}/#/rollouts/new`);
  await heading("New rollout");
  await page.getByRole("radio", { name: /^At/ }).check();
  await page.getByRole("button", { name: "Schedule" }).click();
  await page.getByRole("alert").getByText("Say when it is to start.").waitFor();
  await page.getByLabel("start", { exact: true }).fill("2099-01-01T08:30");
  await page.getByRole("button", { name: "Schedule" }).click();
  await page.getByText("scheduled", { exact: true }).waitFor();
  await page.getByText("Starts Jan 1, 2099").waitFor();
  await page.getByText("goes out at the start").waitFor();
  await picture("11b-scheduled");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Cancel the rest?" }).click();
  await page.getByText("It was cancelled before it began").waitFor();
});

step("what is not there says so and leads back", async () => {
  for (const [path, title, way] of [
    ["devices/nobody", "No such device", "All devices"],
    ["rollouts/999", "No such rollout", "All rollouts"],
    ["nothing", "No such page", "Go to the overview"],
  ] as const) {
    await page.goto(`${cloud.origin}/#/${path}`);
    await heading(title);
    await page.getByRole("link", { name: way }).waitFor();
  }
  await picture("15-nothing");
});

step("devices: search, selection, a real device and its device.json", async () => {
  await nav("Devices");
  await page.getByPlaceholder("Search by name").fill("field");
  await page.getByText("3 devices").waitFor();
  await page.getByLabel("select all on this page").check();
  await page.getByRole("button", { name: "Roll out to 3 selected" }).click();
  await page.getByLabel("3 selected devices").waitFor();
  assert.ok(await page.getByLabel("3 selected devices").isChecked());
  await nav("Devices");
  await picture("12-devices");
  await page.getByRole("button", { name: "Add a device" }).click();
  await page.getByLabel("Device name").fill("bench-01");
  await picture("13-add-device");
  await page.getByRole("button", { name: "Add it" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download device.json" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "bench-01.json");
  await page.keyboard.press("Escape");
  await page.getByRole("row").filter({ hasText: "bench-01" }).getByText("offline").waitFor();
});

step("everything is within reach of the keyboard", async () => {
  await page.goto(`${cloud.origin}/#/rollouts/new`);
  await heading("New rollout");
  await page.reload();
  await heading("New rollout");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.textContent.trim()"), "Skip to content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.tagName"), "SELECT");
  const reached = new Set<string>();
  for (let step = 0; step < 25; step++) {
    reached.add(
      await page.evaluate<string>(
        'document.activeElement.textContent.trim() || String(document.activeElement.getAttribute("type"))',
      ),
    );
    await page.keyboard.press("Tab");
  }
  assert.ok(reached.has("Start the rollout"), [...reached].join(", "));
  await nav("Packages");
  await page.getByRole("button", { name: "Make a sample" }).first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Make a sample image" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

step("a chosen theme stays; leaving closes the session; nothing was complained about on the way", async () => {
  await page.getByRole("button", { name: "Theme: auto" }).click();
  await page.getByRole("button", { name: "Theme: light" }).click();
  await page.reload();
  await page.getByRole("button", { name: "Theme: dark" }).waitFor();
  assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "dark");
  await nav("Overview");
  await picture("14-overview");
  const other = await context.newPage();
  await other.goto(`${cloud.origin}/#/packages`);
  await other.getByRole("heading", { level: 1, name: "Packages" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await heading("This console is closed");
  await other.getByRole("link", { name: "Devices" }).click();
  await other.getByRole("heading", { level: 1, name: "This console is closed" }).waitFor();
  assert.deepEqual(complaints, []);
  assert.ok(!/c2VjcmV0c2VjcmV0/.test(cloud.said()), "no secret in what the cloud says");
});
