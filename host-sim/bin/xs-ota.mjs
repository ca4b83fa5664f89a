#!/usr/bin/env node
// Plain JavaScript, so that an old Node gets to the line that tells it so.
const [major] = process.versions.node.split(".");
if (Number(major) < 20) {
  console.error(`error: xs-ota needs Node 20 or later, this is ${process.versions.node}`);
  process.exit(1);
}
try {
  process.cwd();
} catch {
  console.error("error: the current folder is gone");
  process.exit(1);
}
const { bundledCommand } = await import("./bundle.mjs");
const bundled = bundledCommand();
if (bundled === undefined) {
  const { register } = await import("tsx/esm/api");
  const { fileURLToPath } = await import("node:url");
  // Not the one of the current folder, which may be somebody else's.
  register({ tsconfig: fileURLToPath(new URL("../../tsconfig.json", import.meta.url)) });
  await import("../cli/main.ts");
} else {
  process.setSourceMapsEnabled(true);
  await import(bundled);
}
