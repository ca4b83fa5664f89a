import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { isContainer, readContainer } from "../../src/container/format";
import { problemOfImage } from "../board/image-problem";
import { readHeader } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";
import { readBuild } from "../publish/install-parts";
import type { BuildFiles } from "../publish/install-parts";
import { Site } from "../publish/site";
import { chipFamily, withRelease } from "../publish/site-manifest";
import type { Build, PublishedFile, SiteManifest } from "../publish/site-manifest";
import { orFail } from "./errors";
import { readFirmwareFile } from "./signing/firmware-file";

interface PublishFlags {
  readonly site: string;
  readonly delta?: string;
  readonly build?: string;
  readonly percent?: number;
  readonly manifest: string;
  readonly force?: boolean;
}

/** `xs-ota publish`. */
export function register(program: Command): void {
  program
    .command("publish")
    .summary("write a folder from which any web server updates devices")
    .description(
      "Puts an image into a folder under a name that never changes, and names it in a manifest that devices of the platform " +
        "static, ESPHome and ESP Web Tools read. Without an image it changes the percentage of devices that take the release.",
    )
    .argument("[fw.bin]", "the image, signed where devices ask for that; default: the app of --build")
    .requiredOption("--site <folder>", "the folder that is served")
    .option("--delta <update.xsu>", "a container of xs-ota pack that makes the same image")
    .option("--build <folder>", "build folder of ESP-IDF: a browser can then install the firmware on a new board")
    .option("--percent <n>", "devices that take the release, 0 to 100 (default: all, or as it is)", percentArgument)
    .option("--manifest <name>", "file name of the manifest", manifestArgument, "manifest.json")
    .option("--force", "publish an older version, or other bytes under a version that is published")
    .action(orFail(run));
}

function percentArgument(text: string): number {
  const percent = Number(text);
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text) || percent > 100)
    throw new InvalidArgumentError("It is a number from 0 to 100, with up to three decimals.");
  return percent;
}

function manifestArgument(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*\.json$/.test(text))
    throw new InvalidArgumentError("It is a file name that ends in .json, such as beta.json.");
  return text;
}

function run(image: string | undefined, flags: PublishFlags): void {
  const { percent, manifest: name, force = false } = flags;
  const build = flags.build === undefined ? undefined : readBuild(flags.build);
  const path = image ?? (build === undefined ? undefined : `the app of ${flags.build}`);
  const bytes = image === undefined ? build?.app.bytes : readFirmwareFile(image);
  if (bytes === undefined || path === undefined) return changePercent(flags);
  const facts = imageFacts(path, bytes);
  const delta = flags.delta === undefined ? undefined : readDelta(flags.delta, path, bytes);
  if (build !== undefined && image !== undefined)
    checkSame(facts, imageFacts(`the app of ${flags.build}`, build.app.bytes));
  const site = new Site(flags.site);
  const before = site.read(name);
  const { product, version, family } = facts;
  // What is refused leaves nothing behind.
  const draft = (files: Build): SiteManifest => withRelease(before, { product, version, build: files }, percent, force);
  draft({ chipFamily: family, ota: described(bytes) });
  const manifest = draft(addFiles(site, facts, bytes, delta, build));
  site.write(name, manifest, note);
  note(
    `${flags.site}/${name}: ${product} ${version} for ${manifest.builds.map((each) => each.chipFamily).join(", ")}, ${manifest.percent} % of devices`,
  );
  tell(name, manifest);
}

function changePercent({ site: folder, percent, manifest: name, delta }: PublishFlags): void {
  if (percent === undefined || delta !== undefined)
    throw new Error("nothing to publish: give an image, or --percent alone");
  const site = new Site(folder);
  const before = site.read(name);
  if (before === undefined) throw new Error(`${folder} has no ${name} yet: give an image`);
  const manifest = { ...before, percent };
  site.write(name, manifest, note);
  tell(name, manifest);
}

const note = (line: string): void => void process.stderr.write(`${line}\n`);

function tell(name: string, { version, percent = 100 }: SiteManifest): void {
  process.stdout.write(`${JSON.stringify({ manifest: name, version, percent })}\n`);
}

interface ImageFacts {
  readonly product: string;
  readonly version: string;
  readonly family: string;
}

/** Throws one line where no device would take the image. */
function imageFacts(path: string, bytes: Uint8Array): ImageFacts {
  if (isContainer(bytes))
    throw new Error(`${path} is a container, which no other client could flash: give the image, and this with --delta`);
  const read = (offset: number, into: Uint8Array): void => into.set(bytes.subarray(offset, offset + into.length));
  const problem = problemOfImage(read, bytes.length);
  if (problem !== undefined) throw new Error(`${path}: ${problem}`);
  try {
    const { product, version } = readFirmware(bytes.subarray(0, 4096), false);
    return { product, version, family: chipFamily(readHeader(bytes).chip) };
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

function checkSame(image: ImageFacts, app: ImageFacts): void {
  for (const key of ["product", "version", "family"] as const)
    if (image[key] !== app[key]) throw new Error(`the build's app has ${key} ${app[key]}, the image has ${image[key]}`);
}

function readDelta(path: string, image: string, bytes: Uint8Array): Uint8Array {
  const container = readFirmwareFile(path);
  let file: Uint8Array;
  try {
    ({ sha256: file } = readContainer(container).file);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
  if (!createHash("sha256").update(bytes).digest().equals(file))
    throw new Error(`${path} makes other bytes than ${image}`);
  return container;
}

const described = (bytes: Uint8Array): PublishedFile => ({
  path: "",
  size: bytes.length,
  md5: "",
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

function addFiles(
  site: Site,
  { product, version, family }: ImageFacts,
  bytes: Uint8Array,
  delta: Uint8Array | undefined,
  build: BuildFiles | undefined,
): Build {
  const stem = `${product}-${version}-${family}`;
  const ota = site.add(stem, ".bin", bytes);
  const parts = build?.others.map(({ name, bytes: part, offset }) => ({
    path: site.add(`${stem}-${basename(name, ".bin")}`, ".bin", part).path,
    offset,
  }));
  return {
    chipFamily: family,
    ota: { ...ota, ...(delta === undefined ? {} : { delta: site.add(stem, ".xsu", delta) }) },
    ...(build === undefined || parts === undefined
      ? {}
      : { parts: [...parts, { path: ota.path, offset: build.app.offset }] }),
  };
}
