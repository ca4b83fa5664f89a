import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { readBoardBuild, type BoardBuild } from "../../flashing/build";
import { bytes } from "../../format";
import { ProblemNote } from "../../parts";
import { sentence } from "./flashing";

/** A folder of this machine: it is read here, and not uploaded. */
export function BuildField({
  build,
  set,
}: {
  build: BoardBuild | undefined;
  set: (build: BoardBuild | undefined) => void;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | undefined>();
  // The attribute is not in the types, nor is the property everywhere.
  useEffect(() => input.current?.setAttribute("webkitdirectory", ""), []);
  const read = async (files: readonly File[]): Promise<void> => {
    set(undefined);
    setProblem(undefined);
    if (files.length === 0) return;
    try {
      const found = files.map((file) => ({
        path: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath,
        bytes: async () => new Uint8Array(await file.arrayBuffer()),
      }));
      set(await readBoardBuild(found));
    } catch (error) {
      setProblem(sentence((error as Error).message));
    }
  };
  return (
    <>
      <label>
        Folder of mcconfig's output
        <input
          ref={input}
          type="file"
          multiple
          onChange={(event) => void read([...(event.currentTarget.files ?? [])])}
        />
        <span class="faint">
          with bootloader.bin, partition-table.bin and xs_esp32.bin: $MODDABLE/build/bin/esp32/…/release/APP
        </span>
      </label>
      <ProblemNote problem={problem} />
      {build !== undefined && (
        <p>
          {build.firmware.product} {build.firmware.version} for {build.chip.name}, {build.flashSize >> 20} MB of flash (
          {bytes(build.parts.at(-1)!.bytes.length)})
        </p>
      )}
    </>
  );
}
