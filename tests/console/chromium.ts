/**
 * A headless Chromium for tests, out of the npm package that brings it along: nothing is downloaded and nothing has to
 * be installed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");
const PACKAGE = "@sparticuz/chromium";
/** A browser of one's own, in place of the package's. */
const OWN = "XS_OTA_CHROMIUM";
/** The package's own flags, but for those that take web security away: what a page may do is part of what is tested. */
const FLAGS = ["--no-sandbox", "--no-zygote", "--disable-gpu", "--font-render-hinting=none", "--headless=shell"];

/** In the unpacked folder. */
const FONTS = "fonts.conf";

interface Executable {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Rejects with the one command that helps where it can not be started. */
export async function launchChromium(): Promise<Browser> {
  const { path, env } = executable();
  try {
    return await chromium.launch({
      executablePath: path,
      args: FLAGS,
      env: { ...(process.env as Record<string, string>), ...env },
    });
  } catch (error) {
    throw new Error(`${path} does not start: ${(error as Error).message}\n${advice()}`, { cause: error });
  }
}

function executable(): Executable {
  const own = process.env[OWN];
  if (own !== undefined) {
    if (!existsSync(own)) throw new Error(`${OWN} names ${own}, and there is no such file`);
    return { path: own, env: {} };
  }
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(
      `${PACKAGE} brings a browser for Linux on x64 only, this is ${process.platform} on ${process.arch}.\n${advice()}`,
    );
  const folder = unpacked();
  const path = join(folder, "chromium");
  const libraries = join(folder, "al2023", "lib");
  const missing = missingLibraries(path, {});
  const stillMissing = missing.length === 0 ? [] : missingLibraries(path, { LD_LIBRARY_PATH: libraries });
  if (stillMissing.length > 0) throw new Error(`Chromium lacks ${stillMissing.join(", ")}.\n${advice()}`);
  return {
    path,
    env: {
      ...(missing.length === 0 ? {} : { LD_LIBRARY_PATH: libraries }),
      FONTCONFIG_FILE: join(folder, FONTS),
    },
  };
}

/**
 * The package unpacks itself where TMPDIR says; a folder is only ever there as a whole, since tests run side by side.
 */
function unpacked(): string {
  const file = createRequire(import.meta.url).resolve(PACKAGE);
  const home = file.slice(
    0,
    file.lastIndexOf(join("node_modules", ...PACKAGE.split("/"))) + join("node_modules", ...PACKAGE.split("/")).length,
  );
  const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { version: string };
  const target = join(ROOT, "build", `chromium-${version}`);
  if (existsSync(join(target, FONTS))) return target;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(`${target}-`);
  const script = `import chromium from ${JSON.stringify(PACKAGE)}; await chromium.executablePath();`;
  // The Amazon runtime is named so that the libraries come out too, which that one lacks as a bare machine does.
  const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" };
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${PACKAGE} could not be unpacked: ${stderr.trim()}`);
  writeFileSync(join(folder, FONTS), fontConfiguration(target));
  try {
    renameSync(folder, target);
  } catch {
    rmSync(folder, { recursive: true, force: true });
  }
  return target;
}

/** The package's own file looks for its fonts in places that only the cloud it was made for has. */
function fontConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts")}</dir>
  <cachedir>${join(folder, "fonts-cache")}</cachedir>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
`;
}

function missingLibraries(path: string, env: Record<string, string>): string[] {
  const { stdout } = spawnSync("ldd", [path], { env: { ...process.env, ...env }, encoding: "utf8" });
  return [...(stdout ?? "").matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name!);
}

function advice(): string {
  return `Install a Chromium and name it: on Debian and Ubuntu, apt-get install -y chromium && export ${OWN}=/usr/bin/chromium`;
}
