/** The settings of the firmware on a chip (firmware/settings.ts): keys that it trusts, and secrets that it reads when it needs them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import type { Policy } from "../../src/job/policy";
import type { Platform } from "../../src/platforms/platform";
import { readPublicKey } from "../../src/signature/keys";
import { temporaryFolder } from "../board/puppet";
import { makeKey } from "../signature/desk";

type Lookup = (key: string) => string | number | boolean | undefined;
type ReadSettings = (
  lookup: Lookup,
  crypto: NodeCrypto,
) => { readonly platform: Platform; readonly policy: Partial<Policy> };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function settings(t: TestContext): Promise<ReadSettings> {
  const dialect = (platform: string): string => join(ROOT, "src", "platforms", platform, "dialect.ts");
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "firmware", "settings.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    alias: {
      "xs-ota": join(ROOT, "src", "index.ts"),
      "xs-ota/tencent": dialect("tencent"),
      "xs-ota/thingspanel": dialect("thingspanel"),
    },
  });
  const path = join(temporaryFolder(t), "settings.mjs");
  writeFileSync(path, outputFiles[0]!.contents);
  return ((await import(pathToFileURL(path).href)) as { readSettings: ReadSettings }).readSettings;
}

const KEY = { platform: "tencent", productId: "P", deviceName: "d", deviceSecret: "c2VjcmV0LW9mLXRoaXMtdGVzdA==" };

test("signing keys: PEM or hex, one or several with commas between them; other products by permission", async (t) => {
  const readSettings = await settings(t);
  const policy = (more: object): Partial<Policy> =>
    readSettings((key) => ({ ...KEY, ...more } as Record<string, string>)[key], new NodeCrypto()).policy;
  const [one, two] = [makeKey(), makeKey()];
  const hex = Buffer.from(two.point).toString("hex");
  assert.equal("signingKeys" in policy({}), false);
  assert.equal("signingKeys" in policy({ signingKeys: "" }), false);
  for (const text of [`${one.publicKey},${hex}`, `${one.publicKey.trim()} , ${hex}`]) {
    assert.deepEqual(policy({ signingKeys: text }).signingKeys?.map(readPublicKey), [one.point, two.point]);
  }
  assert.equal(policy({ allowForeign: "true" }).allowForeign, true);
  assert.throws(() => policy({ allowForeign: "maybe" }), /allowForeign: "true" or "false"/);
});

test("the secret is looked up at each connect and held nowhere in between", async (t) => {
  const readSettings = await settings(t);
  const asked: string[] = [];
  const values: Record<string, string> = { ...KEY };
  const { platform } = readSettings((key) => (asked.push(key), values[key]), new NodeCrypto());
  const times = (): number => asked.filter((key) => key === "deviceSecret").length;
  const before = times();
  const first = platform.identity().password;
  assert.equal(times(), before + 1);
  values["deviceSecret"] = "YW5vdGhlcg==";
  assert.notEqual(platform.identity().password, first);
  assert.ok(!JSON.stringify(platform).includes(KEY.deviceSecret));
});
