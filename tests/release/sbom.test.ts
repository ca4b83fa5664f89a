/** The SBOM of the firmware is a CycloneDX document, and names everything that the manifests put into a chip. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { sbom } from "../../scripts/sbom";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCHEMAS = join(ROOT, "node_modules/@cyclonedx/cyclonedx-library/res/schema");
const VERSION = "1.2.3";

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly {
    readonly license: { readonly id: string; readonly text?: { readonly content: string } };
  }[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

const text = sbom(ROOT, VERSION);
const { components, metadata } = JSON.parse(text) as {
  readonly components: readonly Component[];
  readonly metadata: { readonly component: Component };
};
const files = components.filter(({ type }) => type === "file");

const schema = (name: string): object =>
  JSON.parse(readFileSync(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`), "utf8")) as object;
// The published schema has keywords of its own, and formats that tell no more than that something is a URL.
const ajv = new Ajv({ strict: false, validateFormats: false });
for (const name of ["spdx", "jsf-0.82", "cryptography-defs"])
  ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
const validate = ajv.compile(schema("bom-1.6"));

test("it is valid by the published schema of CycloneDX 1.6", () => {
  assert.ok(validate(JSON.parse(text)), JSON.stringify(validate.errors?.slice(0, 3)));
});

test("the schema refuses a component without a name, an unknown licence, and a digest that is none", () => {
  for (const wrong of [
    { type: "file" },
    { type: "file", name: "a", licenses: [{ license: { id: "Made-Up-1.0" } }] },
    { type: "file", name: "a", hashes: [{ alg: "SHA-256", content: "abc" }] },
  ])
    assert.ok(!validate({ ...(JSON.parse(text) as object), components: [wrong] }), JSON.stringify(wrong));
});

test("every module of the agent, its port and the firmware that a manifest names is in it, with the digest of its file", () => {
  const named = new Set(files.flatMap(({ properties = [] }) => properties.map(({ value }) => value)));
  let count = 0;
  for (const folder of ["src", "hal/esp32", "hal/moddable", "firmware"]) {
    for (const path of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
      // A network that an app chooses in place of Wi-Fi.
      if (!/manifest[^/]*\.json$/.test(path) || /manifest_(ethernet|poco)\.json$/.test(path)) continue;
      if (folder === "hal/esp32" && path === "manifest_none.json") continue;
      for (const [, module = ""] of readFileSync(join(ROOT, folder, path), "utf8").matchAll(
        /^\t+"(xs-ota\/[^"]*)": "\.\.?\//gm,
      )) {
        count++;
        const is = module.endsWith("/*")
          ? [...named].some((each) => each.startsWith(module.slice(0, -1)))
          : named.has(module);
        assert.ok(is, `${module} of ${folder}/${path}`);
      }
    }
  }
  assert.ok(count > 60, `${count} modules`);
  for (const { name, hashes } of files) {
    const digest = createHash("sha256")
      .update(readFileSync(join(ROOT, name)))
      .digest("hex");
    assert.deepEqual(hashes, [{ alg: "SHA-256", content: digest }], name);
  }
});

test("every source of a folder that a manifest takes whole is in it, C code of the port as well, and nothing of the host", () => {
  const names = new Set(files.map(({ name }) => name));
  for (const folder of ["src/job", "src/download", "src/mqtt", "src/recorder", "src/x509"])
    for (const file of readdirSync(join(ROOT, folder)).filter((each) => each.endsWith(".ts")))
      assert.ok(names.has(`${folder}/${file}`), `${folder}/${file}`);
  for (const file of ["hal/esp32/ota.c", "hal/esp32/store.c", "hal/esp32/startup.c", "firmware/main.ts"])
    assert.ok(names.has(file), file);
  assert.deepEqual(
    [...names].filter((name) =>
      /^(host-sim|tests|scripts|bench|node_modules|hal\/m.*-sim|hal\/model-chip)\//.test(name),
    ),
    [],
  );
});

test("the bundled library has the version of its bundle, its licence's text and two digests; SDK and ESP-IDF are named", () => {
  const named = (name: string): Component => components.find((each) => each.name === name)!;
  const library = named("mqtt-packet");
  const head = readFileSync(join(ROOT, "src/vendor/mqtt-packet.js"), "utf8").slice(0, 100);
  assert.ok(head.includes(`mqtt-packet ${library.version} (${library.licenses![0]!.license.id})`), head);
  assert.match(library.licenses![0]!.license.text!.content, /Permission is hereby granted, free of charge/);
  assert.match(metadata.component.licenses![0]!.license.text!.content, /Apache License\s+Version 2\.0/);
  assert.equal(metadata.component.version, VERSION);
  for (const { name, version } of [named("Moddable SDK, runtime"), named("ESP-IDF")])
    assert.ok(readFileSync(join(ROOT, "docs/guide/1-first-board.md"), "utf8").includes(version!), name);
});
