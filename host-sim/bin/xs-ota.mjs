#!/usr/bin/env node
// Plain JavaScript, so that an old Node gets to the line that tells it so.
const [major] = process.versions.node.split(".");
if (Number(major) < 20) {
  console.error(`error: xs-ota needs Node 20 or later, this is ${process.versions.node}`);
  process.exit(1);
}
const { register } = await import("tsx/esm/api");
register();
await import("../cli/main.ts");
