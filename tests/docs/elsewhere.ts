/**
 * Commands of the guide that npm test does not run as they stand there: they take a process for minutes, the network, an
 * SDK or a chip. Each row names who runs them, and words of that file which show it.
 */
export interface Elsewhere {
  readonly command: RegExp;
  readonly by: string;
  readonly says: string;
}

export const ELSEWHERE: readonly Elsewhere[] = [
  { command: /^npm ci$/, by: ".ci/run", says: "npm ci" },
  { command: /^npm start$/, by: "tests/docs/walk.ts", says: "guidePages()" },
  { command: /^npx xs-ota cloud fw\.bin --push/, by: "tests/cli/cloud.test.ts", says: '"--push", "0.2.0", image' },
  {
    command: /^npx xs-ota device --config/,
    by: "tests/cli/cli.test.ts",
    says: '"device", "--config", config, "--state"',
  },
  { command: /^npx xs-ota inspect --state/, by: "tests/cli/cli.test.ts", says: '"inspect", "--state", state' },
  { command: /^(mkdir -p|cp device\.json) ~\/\.xs-ota-sim/, by: "tests/moddable/update.check.ts", says: "device.json" },
  { command: /^mcconfig -d -m$/, by: "tests/moddable/update.check.ts", says: "build(" },
  { command: /^npx xs-ota cloud --host 0\.0\.0\.0/, by: "tests/docs/walk.ts", says: "guidePages()" },
  { command: /^mcconfig -d -m -p esp32 /, by: "tests/moddable/chips.check.ts", says: '"esp32"' },
  { command: /^npx xs-ota doctor \$MODDABLE/, by: "tests/doctor/build-and-dump.test.ts", says: '"sdkconfig"' },
  { command: /^cd examples\/minimal && mcconfig/, by: "tests/moddable/examples.check.ts", says: "minimal" },
  { command: /^npx xs-ota bundle /, by: "tests/bundle/folder.test.ts", says: "writeBundle(folder, CHOICE)" },
  { command: /^cd batch1 && sh -e commands\.txt/, by: "tests/provision/provision.test.ts", says: '"commands.txt"' },
  { command: /^npx xs-ota fleet /, by: "tests/docs/walk.ts", says: "guidePages()" },
  { command: /^esptool read-flash/, by: "scripts/test-esptool.ts", says: '"read-flash"' },
  {
    command: /^npx xs-ota replay /,
    by: "tests/replay/replay.test.ts",
    says: '"replay", path("fail.xsr"), "--explain"',
  },
  { command: /^npm run release$/, by: "tests/release/release.test.ts", says: "release(folder)" },
  { command: /^npm run bench -- --quick/, by: "tests/docs/walk.ts", says: "guidePages()" },
  { command: /^npm run powercut -- --replay/, by: "tests/powercut/command.test.ts", says: "--replay" },
];

export const elsewhere = (line: string): Elsewhere | undefined => ELSEWHERE.find(({ command }) => command.test(line));
