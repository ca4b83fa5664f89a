/** `xs-ota provision`: from a list of devices to what is flashed to new boards. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { watch } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import type { TestContext } from "node:test";
import { buildImage } from "../../hal/model-chip/build-image";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { Nvs } from "../../hal/model-chip/nvs";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import type { Credentials } from "../../host-sim/cloud/core/listeners/certificates";
import { firmwareSettings } from "../config/firmware-settings";
import { bootloader } from "../kit/flash-dump";
import { temporaryFolder } from "../kit/folder";
import { BIN, xsOta, xsOtaError } from "../kit/xs-ota";

const SECRET = "3ZxkQmVyVGVzdFZlY3Rvcg==";
const TENCENT = ["--set", "platform=tencent", "--set", "productId=A1B2C3D4E5"];

let client: Credentials;
let other: Credentials;
before(async () => {
  const authority = await Authority.create("rsa");
  [client, other] = await Promise.all([authority.client("line-1"), authority.client("line-2")]);
});

interface Place {
  readonly list: string;
  readonly out: string;
  at(name: string): string;
}

function place(t: TestContext, text: string | Uint8Array): Place {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("devices.csv"), text);
  return { list: at("devices.csv"), out: at("out"), at };
}

/** The settings in an NVS image, read by the model of ESP-IDF's NVS. */
function settingsIn(path: string, table = partitionTableFor(4 << 20)): Map<string, string> {
  const chip = FlashChip.inMemory(4 << 20);
  chip.program(table.nvs.address, readFileSync(path));
  const nvs = new Nvs(chip, table.nvs, "xs-ota-cfg");
  return new Map(nvs.keys().map((key) => [key, Buffer.from(nvs.getString(key)!).toString()]));
}

test("each device gets its settings, as the firmware reads them; the files are for their owner alone", async (t) => {
  const { list, out } = place(t, `deviceName,deviceSecret\nline-1,${SECRET}\n"line:2",${SECRET}\n`);
  const { code, stdout, stderr } = await xsOta("provision", list, "--out", out, ...TENCENT, "--set", "ssid=Halle 7");
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { devices: 2, out, nvs: 0x9000 });
  assert.match(stderr, /for new boards: each image replaces everything in the nvs partition\n$/);
  assert.deepEqual(readdirSync(out).sort(), ["commands.txt", "line-1.nvs.bin", "line_2.nvs.bin"]);
  for (const name of readdirSync(out)) assert.equal(statSync(join(out, name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(out).mode & 0o777, 0o700);
  assert.equal(
    readFileSync(join(out, "commands.txt"), "utf8"),
    "esptool --chip auto write-flash 0x9000 line-1.nvs.bin\nesptool --chip auto write-flash 0x9000 line_2.nvs.bin\n",
  );
  const settings = settingsIn(join(out, "line_2.nvs.bin"));
  assert.deepEqual(Object.fromEntries(settings), {
    platform: "tencent",
    productId: "A1B2C3D4E5",
    ssid: "Halle 7",
    deviceName: "line:2",
    deviceSecret: SECRET,
  });
  const readSettings = await firmwareSettings(t);
  const read = readSettings((key) => settings.get(key), new NodeCrypto());
  assert.deepEqual([read.name, read.broker?.host], ["line:2", "A1B2C3D4E5.iotcloud.tencentdevices.com"]);
});

test("a platform without a broker, with a number among its settings", async (t) => {
  const manifest = "http://192.0.2.1:8090/manifest.json";
  const { list, out } = place(t, `deviceId,manifest,pollSeconds\ndev-1,${manifest},21600\n`);
  const flags = ["--set", "platform=static", "--set", "allowHttp=true"];
  const { code, stderr } = await xsOtaError("provision", list, "--out", out, ...flags);
  assert.equal(code, 0, stderr);
  const settings = settingsIn(join(out, "dev-1.nvs.bin"));
  assert.deepEqual([settings.get("manifest"), settings.get("pollSeconds")], [manifest, "21600"]);
  const readSettings = await firmwareSettings(t);
  assert.equal(readSettings((key) => settings.get(key), new NodeCrypto()).name, "dev-1");
  const wrong = place(t, `deviceId,manifest,pollSeconds\ndev-1,${manifest},6h\n`);
  assert.match(
    (await xsOtaError("provision", wrong.list, "--out", wrong.out, ...flags)).stderr,
    /line 2, column 3 \(pollSeconds\): a whole number from [0-9]+ to [0-9]+ is expected/,
  );
});

test("each device gets its topic for recordings, by its name in device.json or on a chip", async (t) => {
  const readSettings = await firmwareSettings(t);
  for (const column of ["diagnosticsTopic", "diagTopic"]) {
    const { list, out } = place(t, `deviceName,deviceSecret,${column},recorder\na,${SECRET},line/a,true\n`);
    const { code, stderr } = await xsOtaError("provision", list, "--out", out, ...TENCENT);
    assert.equal(code, 0, stderr);
    const settings = settingsIn(join(out, "a.nvs.bin"));
    const { diagnosticsTopic, recorder } = readSettings((key) => settings.get(key), new NodeCrypto());
    assert.deepEqual([diagnosticsTopic, recorder], ["line/a", true]);
  }
});

test("a password that would serve both the cloud and the Wi-Fi network is warned of", async (t) => {
  const { list, out } = place(t, "username,password,clientId,ssid\nu-1,p-1,c-1,Hall\n");
  const flags = ["--set", "platform=thingspanel", "--set", "mqttHost=ota.example.com"];
  const { code, stderr } = await xsOta("provision", list, "--out", out, ...flags);
  assert.equal(code, 0);
  assert.match(stderr, /^warning: 1 devices have ssid and password: the same password is given to the Wi-Fi network/);
  const own = place(t, "username,password,clientId,ssid,wifiPassword\nu-1,p-1,c-1,Hall,w-1\n");
  const second = await xsOtaError("provision", own.list, "--out", own.out, ...flags);
  assert.deepEqual([second.code, second.stderr.includes("warning")], [0, false]);
  const settings = settingsIn(join(own.out, "c-1.nvs.bin"));
  assert.deepEqual([settings.get("password"), settings.get("wifiPassword")], ["p-1", "w-1"]);
});

test("certificates go in as content: from a file, from a cell of the cloud's export, the key as PKCS #8", async (t) => {
  const cell = (text: string): string => `"${text}"`;
  const { list, out, at } = place(
    t,
    `DeviceName,auth_mode,DeviceCert,DevicePrivateKey,mqtt.ca\nline-1,CERT,${cell(client.certificate)},${cell(client.key)},root.pem\nline-2,CERT,two.crt,two.key,mqtt-root.der\n`,
  );
  writeFileSync(at("root.pem"), client.certificate);
  writeFileSync(at("two.crt"), other.certificate);
  writeFileSync(at("two.key"), other.key);
  const { code, stderr } = await xsOtaError("provision", list, "--out", out, ...TENCENT);
  assert.equal(code, 0, stderr);
  const [one, two] = ["line-1", "line-2"].map((name) => settingsIn(join(out, `${name}.nvs.bin`)));
  for (const [settings, given] of [
    [one!, client],
    [two!, other],
  ] as const) {
    assert.ok(given.certificate.startsWith(settings.get("devCertFile")!.trim()), "the leaf alone");
    assert.match(settings.get("devKeyFile")!, /^-----BEGIN PRIVATE KEY-----\n/);
  }
  assert.equal(one!.get("mqttCa")!.split("-----BEGIN").length, 3);
  assert.equal(two!.get("mqttCa"), "mqtt-root.der");
});

test("lists as consoles and spreadsheets export them: Chinese titles, vouchers, semicolons, tabs, byte order marks", async (t) => {
  const thingspanel = ["--set", "platform=thingspanel", "--set", "mqttHost=ota.example.com"];
  const voucher = '{""username"":""u-1"",""password"":""p-1""}';
  const rows: readonly (readonly [string | Uint8Array, readonly string[], string, Record<string, string>])[] = [
    [
      `\ufeff产品ID,设备名称,设备密钥,状态\nA1B2C3D4E5,line-1,${SECRET},未激活\n`,
      TENCENT.slice(0, 2),
      "line-1",
      { deviceSecret: SECRET },
    ],
    [
      `ProductId;DeviceName;DevicePsk\r\nA1B2C3D4E5;line-1;${SECRET}\r\n`,
      TENCENT.slice(0, 2),
      "line-1",
      { deviceSecret: SECRET },
    ],
    [
      Buffer.from(`\ufeffdeviceName\tdeviceSecret\nline-1\t${SECRET}\n`, "utf16le"),
      TENCENT,
      "line-1",
      { deviceName: "line-1" },
    ],
    [
      `device_number,voucher,clientId,profile\nd-1,"${voucher}",c-1,v1\n`,
      thingspanel,
      "d-1",
      { username: "u-1", password: "p-1" },
    ],
    [`设备编号,凭证,clientId\nd-1,token-1,c-1\n`, thingspanel, "d-1", { username: "token-1" }],
  ];
  for (const [text, flags, name, wanted] of rows) {
    const { list, out } = place(t, text);
    const { code, stderr } = await xsOtaError("provision", list, "--out", out, ...flags);
    assert.equal(code, 0, stderr);
    const settings = settingsIn(join(out, `${name}.nvs.bin`));
    for (const [key, value] of Object.entries(wanted)) assert.equal(settings.get(key), value);
  }
});

test("a bad list is refused with line and column, no value is shown, and nothing is written", async (t) => {
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
  const pem = (text: string): string => `"${text.toString()}"`;
  const cert = `deviceName,authMode,devCertFile,devKeyFile\nline-1,CERT,`;
  const head = `deviceName,deviceSecret`;
  const rows: readonly (readonly [string, RegExp])[] = [
    ["", /devices\.csv: is empty: the first line names the columns/],
    [`${head}\n`, /devices\.csv: has no devices/],
    [`${head},colour\na,${SECRET},red\n`, /line 1, column 3 \(colour\): is no setting of a device; --ignore "colour"/],
    [`${head},psk\na,b,c\n`, /two columns are deviceSecret/],
    [`${head}\nline-1\n`, /line 2: 1 fields, the first line has 2/],
    [`${head}\nline-1,no base 64!\n`, /devices\.csv, line 2, column 2 \(deviceSecret\): .*base64/],
    [`${head}\n\nline-1,${SECRET}\n\nline-1,${SECRET}\n`, /line 5: the name "line-1" is that of line 3/],
    [`${head}\na:b,${SECRET}\na_b,${SECRET}\n`, /line 3: the files of "a_b" would be those of "a:b", line 2/],
    [`${head}\n,${SECRET}\n`, /line 2: deviceName is missing/],
    [`${head}\nline-1,\n`, /line 2: deviceSecret(: needed in KEY mode| is missing)/],
    [`${head},mqttPort\nline-1,${SECRET},70000\n`, /line 2, column 3 \(mqttPort\): a whole number from 1 to 65535/],
    [`${head},mqttTls\nline-1,${SECRET},no\n`, /column 3 \(mqttTls\): true or false/],
    [`${head},mqttHost\nline-1,${SECRET},mqtt://a.b:1883\n`, /column 3 \(mqttHost\): the name or address alone/],
    [`${head},authMode\nline-1,${SECRET},PSK\n`, /column 3 \(authMode\): KEY or CERT is expected/],
    [
      `${head},diagnosticsTopic\nline-1,${SECRET},d/+\n`,
      /column 3 \(diagnosticsTopic\): a topic of 1 to 256 characters/,
    ],
    [`${head},allowDelta\nline-1,${SECRET},no\n`, /column 3 \(allowDelta\): true or false/],
    [`${head},ssid\nline-1,${SECRET},"a\nb"\n`, /column 3 \(ssid\): has a control character or the end of a line/],
    [
      `${head},sntp\nline-1,${SECRET},${"x".repeat(4_000)}\n`,
      /the settings have 40[0-9]{2} bytes \(sntp 4000.*NVS takes at most 3999/,
    ],
    [
      `${head},sntp,ssid,httpBase\nl,${SECRET},${"x".repeat(3_900)},${"y".repeat(3_900)},${"z".repeat(2_600)}\n`,
      /they take 3 of the 3 pages/,
    ],
    [`${head}\nline-1,"${SECRET}\n`, /is not CSV: quote not closed/],
    [`${cert}none.crt,none.key\n`, /column 3 \(devCertFile\): none\.crt can not be read: there is no such file/],
    [
      `${cert}${pem(client.certificate)},${pem(ec as string)}\n`,
      /column 4 \(devKeyFile\): the key is ec: the chip's engine signs with RSA/,
    ],
    [`${cert}${pem(client.certificate)},${pem(other.key)}\n`, /line 2: devKeyFile is not the key of devCertFile/],
    [
      `${cert.replace("authMode", "authMode,mqttTls").replace("CERT,", "CERT,false,")}a-resource,b\n`,
      /a certificate needs TLS/,
    ],
  ];
  for (const [text, message] of rows) {
    const { list, out, at } = place(t, text);
    const { code, stdout, stderr } = await xsOtaError("provision", list, "--out", out, ...TENCENT);
    assert.equal(code, 1, text);
    assert.match(stderr, message);
    assert.match(stderr, /^error: [^\n]+\n$/, text);
    assert.equal(stdout, "");
    assert.ok(!stderr.includes("no base 64") && !stderr.includes(SECRET));
    assert.deepEqual(readdirSync(at(".")), ["devices.csv"]);
  }
});

test("several bad rows are told together", async (t) => {
  const { list, out, at } = place(t, `deviceName,deviceSecret\na,${SECRET}\nb,!\nc,!\na,${SECRET}\n`);
  const { code, stderr } = await xsOta("provision", list, "--out", out, ...TENCENT);
  assert.equal(code, 1);
  assert.equal(stderr.match(/devices\.csv, line [345]/g)?.length, 3);
  assert.match(stderr, /\nerror: .*devices\.csv: 3 settings are wrong, nothing was written\n$/);
  assert.deepEqual(readdirSync(at(".")), ["devices.csv"]);
});

test("a folder that holds something is not touched, options that do not fit are named", async (t) => {
  const { list, out, at } = place(t, `deviceName,deviceSecret\nline-1,${SECRET}\n`);
  mkdirSync(out);
  writeFileSync(join(out, "mine"), "");
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [["--out", out, ...TENCENT], /out is not empty: a batch gets a folder of its own/],
    [["--out", at("new"), ...TENCENT, "--merge"], /--merge needs --build/],
    [
      ["--out", at("new"), ...TENCENT, "--build", at("none")],
      /partition-table\.bin can not be read: there is no such file/,
    ],
    [["--out", at("new"), ...TENCENT, "--table", list], /devices\.csv: partition table, line 1/],
    [["--out", at("new"), "--set", "colour=red"], /It is NAME=VALUE with the name of a setting/],
    [["--out", at("new")], /devices\.csv, line 2: platform is missing/],
    [["--out", at("new"), "--set", "platform=aws"], /--set platform: a platform is expected, tencent or thingspanel/],
  ];
  for (const [flags, message] of refused) {
    const { code, stderr } = await xsOtaError("provision", list, ...flags);
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
  assert.deepEqual(readdirSync(out), ["mine"]);
});

/** A build of mcconfig for an ESP32-C3 with 8 MB of flash. */
function buildFolder(at: (name: string) => string): { readonly folder: string; readonly table: PartitionTable } {
  const folder = at("build");
  mkdirSync(folder);
  const table = partitionTableFor(8 << 20);
  const app = buildImage({
    chip: 5,
    version: "1.4.0",
    product: "thermostat",
    payload: Buffer.from("app"),
    size: 50_000,
  });
  writeFileSync(join(folder, "bootloader.bin"), bootloader(5, 8));
  writeFileSync(join(folder, "partition-table.bin"), table.toBinary());
  writeFileSync(join(folder, "xs_esp32.bin"), app);
  return { folder, table };
}

test("with a build: commands with the table's own offsets, and one image that a board boots from with its settings", async (t) => {
  const { list, out, at } = place(t, `deviceName,deviceSecret\nline-1,${SECRET}\n`);
  const { folder, table } = buildFolder(at);
  assert.equal((await xsOtaError("provision", list, "--out", out, ...TENCENT, "--build", folder)).code, 0);
  assert.equal(
    readFileSync(join(out, "commands.txt"), "utf8"),
    "esptool --chip esp32c3 write-flash 0x0 bootloader.bin 0x8000 partition-table.bin 0x9000 line-1.nvs.bin 0xd000 otadata.bin 0x10000 xs_esp32.bin\n",
  );
  const merged = await xsOtaError("provision", list, "--out", at("merged"), ...TENCENT, "--build", folder, "--merge");
  assert.equal(merged.code, 0, merged.stderr);
  assert.deepEqual(readdirSync(at("merged")).sort(), ["commands.txt", "line-1.flash.bin"]);
  const image = readFileSync(join(at("merged"), "line-1.flash.bin"));
  const board = new MemoryBoard({ chipId: 5, table, factoryImage: new Uint8Array(0) });
  for (let sector = 0; sector < board.chip.size; sector += 4096) board.chip.erase(sector);
  for (let sector = 0; sector < image.length; sector += 4096)
    board.chip.program(sector, image.subarray(sector, sector + 4096));
  assert.deepEqual(board.powerOn(), { slot: "ota_0", version: "1.4.0", project: "thermostat", trial: false });
  const settings = board.ports.space("xs-ota-cfg");
  assert.equal(Buffer.from(settings.getString("deviceSecret")!).toString(), SECRET);
});

test("a run that is killed leaves no folder under the name that was asked for", async (t) => {
  const devices = Array.from({ length: 300 }, (_, index) => `line-${index},${SECRET}`);
  const { list, out, at } = place(t, `deviceName,deviceSecret\n${devices.join("\n")}\n`);
  const { folder } = buildFolder(at);
  const child = spawn(process.execPath, [
    BIN,
    "provision",
    list,
    "--out",
    out,
    ...TENCENT,
    "--build",
    folder,
    "--merge",
  ]);
  const closed = once(child, "close");
  for await (const { filename } of watch(at("."))) if (filename?.startsWith(".out.unfinished-") === true) break;
  child.kill("SIGKILL");
  await closed;
  const names = readdirSync(at("."));
  assert.ok(!names.includes("out"), names.join(" "));
  const left = names.find((name) => name.startsWith(".out.unfinished-"))!;
  assert.equal(statSync(at(left)).mode & 0o777, 0o700);
});
