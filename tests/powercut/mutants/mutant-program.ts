/**
 * One mutant as a program: the search's worker or the unit tests, bundled with the mutant's file in place of the
 * original.
 */
import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { sourceUrls } from "../../../host-sim/bin/bundle.mjs";
import type { Mutant } from "./mutants";
import type { Tally } from "../checks/tally";
import type { Work } from "../search/work";

export const ROOT = new URL("../../../", import.meta.url);
const path = (file: string): string => fileURLToPath(new URL(file, ROOT));

/** Milliseconds after which a mutant counts as looping. A piece of work takes seconds. */
const ANSWER_TIMEOUT = 180_000;
/** The tests of job, executor and record store. */
const TEST_FOLDERS = ["tests/job", "tests/agent"] as const;
const TESTS = ["tests/store/ab-record-store.test.ts", "tests/store/cobs.test.ts"] as const;

/** `folder`: for its files, and for nothing else; inside the repository, so that packages are found. */
export class MutantProgram {
  readonly #folder: string;
  #mutant: Mutant | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async load(mutant: Mutant | undefined): Promise<void> {
    this.#mutant = mutant;
    await this.#bundle("tests/powercut/search/worker.ts", "worker.mjs");
  }

  /**
   * The first violation of the search, in order of the works; undefined: none. A mutant that crashes or loops counts as
   * noticed.
   */
  async search(works: readonly Work[]): Promise<string | undefined> {
    const child = fork(join(this.#folder, "worker.mjs"), {
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    try {
      for (const work of works) {
        const tally = await answer(child, work);
        if (typeof tally === "string") return tally;
        const [finding] = tally.findings;
        if (finding !== undefined) return `${finding.check} (${finding.line})`;
      }
      return undefined;
    } finally {
      child.kill("SIGKILL");
    }
  }

  /** The name of a unit test that fails; undefined: all pass. */
  async unitTests(): Promise<string | undefined> {
    const files = [
      ...TEST_FOLDERS.flatMap((folder) =>
        readdirSync(path(folder))
          .filter((name) => name.endsWith(".test.ts"))
          .map((name) => `${folder}/${name}`),
      ),
      ...TESTS,
    ];
    const entry = join(this.#folder, "all-tests.ts");
    writeFileSync(entry, files.map((file) => `import ${JSON.stringify(path(file))};\n`).join(""));
    await this.#bundle(entry, "tests.mjs");
    const { code, stdout } = await run(
      process.execPath,
      ["--test-reporter=tap", join(this.#folder, "tests.mjs")],
      fileURLToPath(ROOT),
    );
    return code === 0 ? undefined : (/^not ok \d+ - (.*)$/m.exec(stdout)?.[1] ?? "the tests come to no end");
  }

  /** A mutant that does not compile does not count: nobody could have committed it. */
  async compiles(): Promise<boolean> {
    const { file, text } = this.#mutant!;
    const folder = join(this.#folder, "types");
    rmSync(folder, { recursive: true, force: true });
    cpSync(path("src"), join(folder, "src"), { recursive: true });
    cpSync(path("tsconfig.json"), join(folder, "tsconfig.json"));
    writeFileSync(join(folder, file), text);
    const { code } = await run(
      path("node_modules/.bin/tsc"),
      ["-p", join(folder, "src/tsconfig.json"), "--noUnusedLocals", "false", "--noUnusedParameters", "false"],
      folder,
    );
    return code === 0;
  }

  async #bundle(entry: string, name: string): Promise<void> {
    const mutant = this.#mutant;
    const changed = mutant && path(mutant.file);
    await build({
      entryPoints: [entry.startsWith("/") ? entry : path(entry)],
      outfile: join(this.#folder, name),
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      logLevel: "silent",
      plugins: [sourceUrls((file) => (file === changed ? mutant!.text : readFileSync(file, "utf8")))],
    });
  }
}

/** Resolves to a text where there is no answer. */
function answer(child: ChildProcess, work: Work): Promise<Tally | string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish("no end"), ANSWER_TIMEOUT);
    const finish = (result: Tally | string): void => {
      clearTimeout(timer);
      child.removeAllListeners("message");
      child.removeAllListeners("exit");
      resolve(result);
    };
    child.once("message", (tally: Tally) => finish(tally));
    child.once("exit", (code) => finish(`the search ends with exit code ${code}`));
    child.send(work);
  });
}

function run(command: string, args: readonly string[], cwd: string): Promise<{ code: number | null; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "ignore"],
      timeout: ANSWER_TIMEOUT,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
      // The first failure decides.
      if (/^not ok \d+ - .*\n/m.test(stdout)) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout }));
  });
}
