/** What the console does to a board at a serial port, with esptool-js against the emulated loader. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { readBoardBuild, type BoardBuild } from "../../host-sim/cloud/console/web/flashing/build";
import { ConnectedBoard } from "../../host-sim/cloud/console/web/flashing/connected-board";
import { nvsOfSettings } from "../../host-sim/provision/nvs-of-settings";
import { boardBuild, type BuildOptions } from "../kit/board-build";
import { LoaderPort } from "../rom-loader/loader-port";
import { ESP32, ESP32_C3, ESP32_S3, type LoaderChip } from "../rom-loader/registers";
import { RomLoader, type LoaderOptions } from "../rom-loader/rom-loader";

const built = (options: BuildOptions = {}): Promise<BoardBuild> =>
  readBoardBuild(Object.entries(boardBuild(options)).map(([path, bytes]) => ({ path, bytes: async () => bytes })));

function board(options: Partial<LoaderOptions> & { readonly megabytes?: number } = {}): {
  readonly loader: RomLoader;
  readonly port: LoaderPort;
} {
  const { megabytes = 4, chip = ESP32, ...others } = options;
  const loader = new RomLoader({ chip, flash: FlashChip.inMemory(megabytes << 20), ...others });
  return { loader, port: new LoaderPort(loader) };
}

function flashOf({ flash }: RomLoader, address: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  flash.read(address, bytes);
  return bytes;
}

/** Nothing is written, and the port is closed again. */
async function refused({ loader, port }: ReturnType<typeof board>, build: BoardBuild, message: RegExp): Promise<void> {
  await assert.rejects(ConnectedBoard.open(port, build), message);
  const { erases, programs } = loader.flash.counts();
  assert.deepEqual([erases, programs, port.readable], [0, 0, null]);
}

// Side by side: the library waits between its steps.
describe("a board at a serial port", { concurrency: true }, () => {
  for (const chip of [ESP32, ESP32_C3, ESP32_S3] as const)
    void test(`${chip.name}: what is written is in flash, nothing else is touched, and the board starts`, async () => {
      const build = await built({ chip: chip.id, size: 120_001 });
      const { loader, port } = board({ chip, start: (print) => print("hello\n") });
      // A used board: what is written takes the place of what was there.
      loader.flash.program(0x10000, new Uint8Array(0x30000));
      const connected = await ConnectedBoard.open(port, build);
      assert.equal(connected.chip, chip.name);
      const nvs = nvsOfSettings(new Map([["ssid", "Hall"]]), build.nvs.size);
      const shares: number[] = [];
      const parts = [...build.parts, { offset: build.nvs.address, file: "nvs", bytes: nvs }];
      await connected.write(parts, (share) => shares.push(share));
      for (const { offset, bytes, file } of parts)
        assert.ok(flashOf(loader, offset, bytes.length).equals(bytes), `${file} at ${offset}`);
      assert.ok(
        flashOf(loader, 0x2f000, 0x1000).every((byte) => byte === 0),
        "sectors behind the app are as before",
      );
      assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => a - b),
      );
      assert.deepEqual([port.bauds, loader.stub.starts], [[115_200, 460_800], 1]);
      let log = "";
      await new Promise<void>((resolve, reject) => {
        const heard = (text: string): void => {
          log += text;
          if (log.includes("hello")) resolve();
        };
        connected.start(heard).catch(reject);
      });
      assert.match(log, /SPI_FAST_FLASH_BOOT[^]*hello/);
      await connected.close();
      assert.deepEqual([port.readable, port.bauds.at(-1)], [null, 115_200]);
    });

  void test("a board of another chip, and one with less flash than the build, are left as they are", async () => {
    await refused(
      board({ chip: ESP32_S3 }),
      await built({ chip: 5 }),
      /the build is for ESP32-C3, this board has ESP32-S3/,
    );
    await refused(
      board({ chip: ESP32_C3 }),
      await built({ chip: 0 }),
      /the build is for ESP32, this board has ESP32-C3/,
    );
    await refused(board({ megabytes: 2 }), await built(), /the build is for 4 MB of flash, this board has 2 MB/);
    await refused(board({ megabytes: 8 }), await built({ megabytes: 16 }), /for 16 MB of flash, this board has 8 MB/);
  });

  void test("flash encryption, secure boot and secure download mode are named, with and without GET_SECURITY_INFO", async () => {
    const old: LoaderChip = { ...ESP32_C3, hasSecurityInfo: false };
    for (const chip of [ESP32, ESP32_C3, old]) {
      const build = await built({ chip: chip.id });
      await refused(board({ chip, fuses: ["encryption"] }), build, /flash encryption is on/);
      await refused(board({ chip, fuses: ["secureBoot"] }), build, /secure boot is on/);
    }
    await refused(
      board({ chip: ESP32_S3, fuses: ["secureDownload"] }),
      await built({ chip: 9 }),
      /secure download mode is on/,
    );
  });

  void test("a port that another program has, and a board that does not answer", async () => {
    const busy = board();
    busy.port.refusal = new DOMException("Failed to open serial port.", "NetworkError");
    await refused(busy, await built(), /another program has it/);
    const silent = board();
    silent.loader.receive = () => undefined;
    await refused(silent, await built(), /does not answer. Hold its BOOT button/);
  });

  void test("flash that does not keep what is written, and a cable that is pulled, leave one line that says so", async () => {
    const build = await built({ size: 120_000 });
    const worn = board();
    const connected = await ConnectedBoard.open(worn.port, build);
    worn.loader.flash.onOperation = ({ kind, address }) =>
      kind === "program" && address >= 0x10000 ? "done" : undefined;
    await assert.rejects(
      connected.write(build.parts, () => undefined),
      /reads back differently.*no whole firmware/,
    );
    await connected.close();
    const pulled = board();
    const second = await ConnectedBoard.open(pulled.port, build);
    pulled.port.breaksAfter = pulled.port.written + 50_000;
    await assert.rejects(
      second.write(build.parts, () => undefined),
      /broke off at [1-9]\d* %.*flash it again/,
    );
    await second.close();
  });
});
