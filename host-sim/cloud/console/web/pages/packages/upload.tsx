import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { upload, type Views } from "../../api";
import { bytes } from "../../format";
import { tell, useAction } from "../../live";
import { linkTo } from "../../location";
import { ProblemNote, Progress } from "../../parts";

/** Bytes, as the API takes them (PACKAGE_MAX): firmware of any chip is smaller by far. */
const UPLOAD_MAX = 64 * 1024 * 1024;

/** One upload at a time, and what came of the last one. */
function useUpload(): {
  readonly busy: boolean;
  readonly problem: string | undefined;
  /** 0 to 1 while it runs. */
  readonly share: number | undefined;
  readonly added: Views["package"] | undefined;
  /** Resolves when it is over. "": the version that the image names. */
  readonly start: (file: File, version: string) => Promise<boolean>;
} {
  const [share, setShare] = useState<number | undefined>();
  const [added, setAdded] = useState<Views["package"] | undefined>();
  const { busy, problem, run } = useAction();
  const start = async (file: File, version: string): Promise<boolean> => {
    setAdded(undefined);
    setShare(0);
    const done = await run(async () => {
      if (file.size > UPLOAD_MAX)
        throw new Error(`${file.name} has ${bytes(file.size)}; at most ${bytes(UPLOAD_MAX)} are taken.`);
      const made = await upload(file, version, setShare);
      setAdded(made);
      tell("packages", [made.id]);
    });
    setShare(undefined);
    return done;
  };
  return { busy, problem, share, added, start };
}

/** Takes firmware by a button or by drag and drop. */
export function UploadBox(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [version, setVersion] = useState("");
  const { busy, problem, share, added, start } = useUpload();
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    void start(file, version.trim()).then((done) => {
      if (done) setVersion("");
      if (input.current) input.current.value = "";
    });
  };
  return (
    <section
      class={`drop ${over ? "over" : ""}`}
      aria-label="upload"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <label class="button primary" for="file">
        Upload firmware
      </label>
      <input
        ref={input}
        id="file"
        class="hidden"
        type="file"
        accept=".bin,application/octet-stream"
        disabled={busy}
        onChange={(event) => take(event.currentTarget.files?.[0])}
      />
      <span class="faint hint">or drop a .bin file here</span>
      <VersionField version={version} set={setVersion} />
      {share !== undefined && <Progress percent={share * 100} label="upload" />}
      <ProblemNote problem={advice(problem)} />
      {added !== undefined && <AddedNote file={added} />}
    </section>
  );
}

function VersionField({ version, set }: { version: string; set: (version: string) => void }): JSX.Element {
  return (
    <label class="inline">
      Version
      <input
        type="text"
        value={version}
        placeholder="as the image says"
        maxLength={36}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

function advice(problem: string | undefined): string | undefined {
  return problem?.includes("no version is given") === true
    ? `${problem} To take the file as it is, fill in a version and upload it again.`
    : problem;
}

function AddedNote({ file }: { file: Views["package"] }): JSX.Element {
  return (
    <p class="note good" role="status">
      {file.name} is here as version {file.version}.{" "}
      <a href={linkTo("rollouts", "new", { package: file.id })}>Roll it out</a>
    </p>
  );
}
