/** A device.json as people and their tools write it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import type { DeviceConfig } from "../../host-sim/board/config/device-config";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { temporaryFolder } from "../kit/folder";

const SECRET = "3ZxkQmVyVGVzdFZlY3Rvcg==";
const KEY = {
  platform: "tencent",
  mqtt: { host: "127.0.0.1", port: 1883, tls: false },
  auth_mode: "KEY",
  productId: "A1B2C3D4E5",
  deviceName: "ota-bench-01",
  key_deviceinfo: { deviceSecret: SECRET },
};
/** What Windows editors and shells write, and everybody else. */
const ENCODINGS: readonly (readonly [string, (text: string) => Buffer])[] = [
  ["UTF-8 with a byte order mark", (text) => Buffer.from(`\ufeff${text}`)],
  ["UTF-16, little endian", (text) => Buffer.from(`\ufeff${text}`, "utf16le")],
  ["UTF-16, big endian", (text) => Buffer.from(`\ufeff${text}`, "utf16le").swap16()],
];

function write(folder: string, text: string): string {
  const path = join(folder, "device.json");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
const host = (text: string): string => JSON.stringify({ ...KEY, mqtt: { ...KEY.mqtt, host: text } });
const read = (t: TestContext, text: string): DeviceConfig => readDeviceConfig(write(temporaryFolder(t), text));

for (const [written, meant] of [
  [" 192.0.2.7", "192.0.2.7"],
  ["Broker.Example.COM.", "broker.example.com"],
  ["[2001:DB8::7]", "2001:db8::7"],
  ["2001:db8::7", "2001:db8::7"],
  ["fe80::1%eth0", "fe80::1%eth0"],
  ["my_broker", "my_broker"],
] as const) {
  test(`a host is taken as it is meant: ${JSON.stringify(written)}`, (t) => {
    assert.equal(read(t, host(written)).firmware.broker?.host, meant);
  });
}

test("a host that is a URL with a password is refused without showing it", (t) => {
  assert.throws(() => read(t, host("mqtt://user:s3cr3t@192.0.2.7:1883/")), {
    message: /alone is expected, "192\.0\.2\.7", and 1883 in mqtt\.port$/,
  });
});

for (const [encoding, bytes] of ENCODINGS) {
  test(`the file and those that it names may be ${encoding}`, async (t) => {
    const folder = temporaryFolder(t);
    const { root } = await Authority.create("ec");
    writeFileSync(join(folder, "root.pem"), bytes(root));
    writeFileSync(join(folder, "device.json"), bytes(JSON.stringify({ ...KEY, https: { ca: "root.pem" } })));
    const { firmware, trust } = readDeviceConfig(join(folder, "device.json"));
    assert.deepEqual([firmware.broker?.host, trust.https?.ca], ["127.0.0.1", root]);
  });
}

for (const [mistake, line, text] of [
  ["two values", 3, `{\n "auth_mode": "KEY",\n "deviceSecret": "${SECRET}" "x" }`],
  ["a value without quotes", 2, `{\n "deviceSecret": ${SECRET} }\n`],
  ["an open string", 2, `{\n "deviceSecret": "${SECRET}\n}\n`],
  ["a comma too many", 3, `{\n "deviceSecret": "${SECRET}",\n}\n`],
  ["no end", 3, `{\n "deviceSecret": "${SECRET}",\n`],
  ["text behind it", 2, `{}\n${SECRET}`],
] as const) {
  test(`a file that is not JSON is not quoted, its line is named: ${mistake}`, (t) => {
    const path = write(temporaryFolder(t), text);
    assert.throws(() => readDeviceConfig(path), { message: `${path}: is not JSON (line ${line})` });
  });
}
