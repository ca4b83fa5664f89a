import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { ask, part, upload, type Views } from "../api";
import { bytes, chip } from "../format";
import { tell, useAction, useLive } from "../live";
import { linkTo } from "../location";
import { Ago, Chip, Copy, Dialog, Empty, Head, ProblemNote, Progress, Sure } from "../parts";

export function PackagesPage(): JSX.Element {
  const { data, problem } = useLive<{ items: Views["package"][] }>("/packages", ["packages"]);
  const [sample, setSample] = useState(false);
  const action = useAction();
  const remove = (id: string): void =>
    void action.run(async () => {
      await ask("DELETE", `/packages/${part(id)}`);
      tell("packages", [id]);
    });
  const items = data?.items;
  return (
    <>
      <Head title="Packages">
        <button type="button" onClick={() => setSample(true)}>
          Make a sample
        </button>
      </Head>
      <UploadBox />
      <ProblemNote problem={problem ?? action.problem} />
      {items?.length === 0 && (
        <Empty title="No firmware yet">
          <p>Upload the image that mcconfig built, or make a sample that simulated boards can boot.</p>
          <button type="button" onClick={() => setSample(true)}>
            Make a sample
          </button>
        </Empty>
      )}
      {items !== undefined && items.length > 0 && (
        <table class="list">
          <caption class="hidden">packages</caption>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Image</th>
              <th scope="col">Signature</th>
              <th scope="col">Digest</th>
              <th scope="col">Added</th>
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((file) => (
              <Row key={file.id} file={file} busy={action.busy} remove={() => remove(file.id)} />
            ))}
          </tbody>
        </table>
      )}
      {sample && <SampleDialog close={() => setSample(false)} />}
    </>
  );
}

function Row({ file, busy, remove }: { file: Views["package"]; busy: boolean; remove: () => void }): JSX.Element {
  return (
    <tr>
      <th scope="row" data-label="Version">
        <strong>{file.version}</strong>
        <span class="under">{file.name}</span>
      </th>
      <td data-label="Image">
        {file.imageVersion === undefined ? (
          <Chip kind="failure">not an ESP image</Chip>
        ) : (
          `${chip(file.chip ?? 0)} · ${file.project ?? ""}`
        )}
        <span class="under">
          {bytes(file.size)}
          {file.size >= 1_000 && ` (${file.size.toLocaleString()} bytes)`}
        </span>
        {file.imageVersion !== undefined && file.imageVersion !== file.version && (
          <span class="under warn">says {file.imageVersion} of itself</span>
        )}
        {file.problem !== undefined && <span class="under warn">would not boot: {file.problem}</span>}
      </td>
      <td data-label="Signature">
        {file.signature === "signed" ? (
          <Chip kind="success">signed</Chip>
        ) : file.signature === "broken" ? (
          <Chip kind="failure">broken</Chip>
        ) : (
          <Chip kind="cancelled">none</Chip>
        )}
        {file.signer !== undefined && <span class="under mono keep">key {file.signer}</span>}
      </td>
      <td data-label="Digest">
        <span class="stack">
          <Copy text={file.md5} shown={`md5 ${file.md5.slice(0, 8)}…`} />
          <Copy text={file.sha256} shown={`sha256 ${file.sha256.slice(0, 8)}…`} />
        </span>
      </td>
      <td data-label="Added">
        <Ago at={file.addedAt} />
      </td>
      <td class="actions">
        <a class="button" href={linkTo("rollouts", "new", { package: file.id })}>
          Roll out
        </a>
        <Sure quiet label="Remove" question="Really remove?" disabled={busy} act={remove} />
      </td>
    </tr>
  );
}

/** As the API has it: firmware of any chip is smaller by far. */
const UPLOAD_MAX = 64 * 1024 * 1024;

function UploadBox(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [version, setVersion] = useState("");
  const [share, setShare] = useState<number | undefined>();
  const [added, setAdded] = useState<Views["package"] | undefined>();
  const action = useAction();
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    setAdded(undefined);
    setShare(0);
    void action
      .run(async () => {
        if (file.size > UPLOAD_MAX)
          throw new Error(`${file.name} has ${bytes(file.size)}; at most ${bytes(UPLOAD_MAX)} are taken.`);
        const made = await upload(file, version.trim(), setShare);
        setAdded(made);
        setVersion("");
        tell("packages", [made.id]);
      })
      .then(() => {
        setShare(undefined);
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
        disabled={action.busy}
        onChange={(event) => take(event.currentTarget.files?.[0])}
      />
      <span class="faint hint">or drop a .bin file here</span>
      <label class="inline">
        Version
        <input
          type="text"
          value={version}
          placeholder="as the image says"
          maxLength={36}
          onInput={(event) => setVersion(event.currentTarget.value)}
        />
      </label>
      {share !== undefined && <Progress percent={share * 100} label="upload" />}
      <ProblemNote
        problem={
          action.problem === undefined || !action.problem.includes("no version is given")
            ? action.problem
            : `${action.problem} To take the file as it is, fill in a version and upload it again.`
        }
      />
      {added !== undefined && (
        <p class="note good" role="status">
          {added.name} is here as version {added.version}.{" "}
          <a href={linkTo("rollouts", "new", { package: added.id })}>Roll it out</a>
        </p>
      )}
    </section>
  );
}

const FAULTS = [
  ["", "Good: boots and reaches the cloud"],
  ["throw", "Throws at its start"],
  ["hang", "Hangs"],
  ["offline", "Never reaches the cloud"],
] as const;

function SampleDialog({ close }: { close: () => void }): JSX.Element {
  const [version, setVersion] = useState("0.2.0");
  const [fault, setFault] = useState("");
  const action = useAction();
  const make = (event: Event): void => {
    event.preventDefault();
    void action
      .run(async () => {
        const { id } = await ask<Views["package"]>("POST", "/packages/samples", {
          version: version.trim(),
          size: 700_000,
          ...(fault === "" ? {} : { fault }),
        });
        tell("packages", [id]);
      })
      .then((done) => done && close());
  };
  return (
    <Dialog title="Make a sample image" close={close}>
      <form onSubmit={make}>
        <p class="faint">The agent's own bundle in an ESP image of 700,000 bytes, as simulated boards boot it.</p>
        <label>
          Version
          <input
            type="text"
            required
            pattern="[0-9A-Za-z][0-9A-Za-z.+_\-]*"
            title="Letters, digits, dots, plus, minus and underscores, such as 0.2.0"
            value={version}
            maxLength={31}
            onInput={(event) => setVersion(event.currentTarget.value)}
          />
        </label>
        <label>
          Behaviour
          <select value={fault} onChange={(event) => setFault(event.currentTarget.value)}>
            {FAULTS.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <ProblemNote problem={action.problem} />
        <footer>
          <button type="submit" class="primary" disabled={action.busy}>
            {action.busy ? "Making it …" : "Make it"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
