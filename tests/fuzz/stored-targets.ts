/**
 * Parsers of the content of flash: images, signatures, records, boot entries, NVS and the partition table; and of
 * versions.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { buildImage } from "../../hal/model-chip/build-image";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import { OtaData, activeEntry, lastInvalidEntry } from "../../hal/model-chip/otadata";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { expandPart } from "../../host-sim/delta/expand";
import { SECTOR } from "../../src/constants";
import { verifyImage } from "../../hal/model-chip/image-check";
import { readAppDescription, readHeader } from "../../src/image/esp-image";
import { readContainer } from "../../src/container/format";
import { readFirmware } from "../../src/image/firmware-block";
import {
  decodeHeader,
  decodeJob,
  decodeOffset,
  decodeOutcome,
  decodePhase,
  encodeHeader,
  encodeJob,
  encodeOutcome,
} from "../../src/job/job-codecs";
import { Denylist } from "../../src/job/denylist";
import { compareVersions } from "../../src/job/versions";
import { readPublicKey } from "../../src/signature/keys";
import { readTrailer } from "../../src/signature/trailer";
import { makeKey, signed } from "../signature/test-keys";
import { mayRefuse, text, texts } from "./target";
import type { Target } from "./target";

const IMAGE = buildImage({ version: "1.2.3", payload: text("payload"), size: 3000 });
const CONTAINER = new Uint8Array(readFileSync(new URL("../delta/vectors/0.3.0.xsu", import.meta.url)));
const KEY = makeKey();
const SIGNED = signed(text("file"), KEY).subarray(-96);
const JOB = {
  platform: "tencent",
  slot: "ota_1",
  offer: {
    version: "1",
    size: 5000,
    url: "http://h/f",
    module: "MCU",
    digest: { algorithm: "MD5" as const, hex: "0".repeat(32) },
  },
  validator: '"e"',
};
const TABLE = partitionTableFor(4 << 20);
const CSV =
  "nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\nota_0,app,ota_0,0x10000,0x1F0000\nota_1,app,ota_1,0x200000,0x1F0000\n";

const read =
  (bytes: Uint8Array) =>
  (offset: number, into: Uint8Array): void =>
    into.set(bytes.subarray(offset, offset + into.length));
const digest = () => {
  const hash = createHash("sha256");
  return { write: (bytes: Uint8Array) => void hash.update(bytes), close: () => new Uint8Array(hash.digest()) };
};

function otadata(input: Uint8Array): void {
  const chip = FlashChip.inMemory(2 * SECTOR);
  chip.program(0, input.subarray(0, 32));
  chip.program(SECTOR, input.subarray(32, 64));
  const entries = new OtaData(chip, 0).read();
  activeEntry(entries);
  lastInvalidEntry(entries);
}

const NVS_PAGES = 4;
function nvsSeed(): Uint8Array {
  const chip = FlashChip.inMemory(NVS_PAGES * SECTOR);
  const store = new Nvs(chip, { ...TABLE.nvs, address: 0, size: NVS_PAGES * SECTOR }, "xs-ota");
  store.setNumber("off", 5);
  store.setBytes("job", encodeJob(JOB));
  const bytes = new Uint8Array(1024);
  chip.read(0, bytes);
  return bytes;
}
function nvs(input: Uint8Array): void {
  const chip = FlashChip.inMemory(NVS_PAGES * SECTOR);
  chip.program(0, input.subarray(0, NVS_PAGES * SECTOR));
  const store = new Nvs(chip, { ...TABLE.nvs, address: 0, size: NVS_PAGES * SECTOR }, "xs-ota");
  store.getNumber("off");
  store.getBytes("job");
  // In garbage an entry marked empty may not be erased, so a value that is set may not read back, as in ESP-IDF. It
  // must not crash.
  mayRefuse(() => store.setNumber("off", 1));
}

export const STORED_TARGETS: readonly Target[] = [
  {
    name: "ESP image",
    seeds: [IMAGE, IMAGE.subarray(0, 400)],
    tokens: [Uint8Array.of(0xe9), Uint8Array.of(0x32, 0x54, 0xcd, 0xab), text("XSOT")],
    run: (input) => {
      mayRefuse(() => readHeader(input));
      mayRefuse(() => readAppDescription(input));
      mayRefuse(() => readFirmware(input, false));
      mayRefuse(() => verifyImage(read(input), input.length, digest));
    },
  },
  {
    name: "signature trailer",
    seeds: [SIGNED],
    tokens: [Uint8Array.of(0x30, 0x06, 2, 1, 1, 2, 1, 1)],
    run: (input) => mayRefuse(() => readTrailer(input.subarray(0, 96))),
  },
  {
    name: "container head",
    seeds: [CONTAINER.subarray(0, readContainer(CONTAINER).headLength)],
    tokens: [text("XSOU"), Uint8Array.of(1, 0, 2, 0)],
    run: (input) => mayRefuse(() => readContainer(input)),
  },
  {
    name: "container part",
    seeds: readContainer(CONTAINER).parts.map(({ offset, length }) => CONTAINER.subarray(offset, offset + length)),
    tokens: [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(0xff, 0xff, 0, 0)],
    run: (input) => mayRefuse(() => expandPart(input, IMAGE, IMAGE.length)),
  },
  {
    name: "public key",
    seeds: [text(KEY.publicKey)],
    tokens: texts("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----", "\n"),
    run: (input) => mayRefuse(() => readPublicKey(Buffer.from(input).toString("latin1"))),
  },
  {
    name: "records in the store",
    seeds: [
      encodeJob(JOB),
      encodeHeader(1, IMAGE.subarray(0, 16)),
      encodeOutcome(1, { kind: "fail", cause: "download", message: "m" }),
      new Denylist(undefined).add(JOB.offer.digest, "rejected") ?? text(""),
    ],
    tokens: [],
    run: (input) => {
      decodeJob(input);
      decodeHeader(1, input);
      decodeOutcome(1, input);
      new Denylist(input).causeOf(JOB.offer.digest);
      const number =
        (input[0] ?? 0) * 0x1000000 + (input[1] ?? 0) * 0x10000 + (input[2] ?? 0) * 0x100 + (input[3] ?? 0);
      decodePhase(1, number);
      decodeOffset(1, number);
    },
  },
  { name: "otadata", seeds: [new Uint8Array(64).fill(0xff), new Uint8Array(64)], tokens: [], run: otadata },
  { name: "NVS", seeds: [nvsSeed()], tokens: [], run: nvs },
  {
    name: "partition table, binary",
    seeds: [TABLE.toBinary().slice(0, 256)],
    tokens: [Uint8Array.of(0xaa, 0x50), Uint8Array.of(0xeb, 0xeb)],
    run: (input) => mayRefuse(() => PartitionTable.fromBinary(input, 4 << 20)),
  },
  {
    name: "partition table, CSV",
    seeds: [text(CSV)],
    tokens: texts("0x", ",", "\n", "M", "K", "app", "data", "ota_0", "nvs", "#"),
    run: (input) => mayRefuse(() => PartitionTable.fromCsv(Buffer.from(input).toString("latin1"), 4 << 20)),
  },
  {
    name: "versions",
    seeds: texts("1.2.3-rc.1", "v1.0"),
    tokens: texts(".", "-", "+", "rc", "0"),
    run: (input) => {
      const version = Buffer.from(input).toString("latin1");
      compareVersions(version, "1.2.3");
      compareVersions("1.2.3-rc.1", version);
    },
  },
];
