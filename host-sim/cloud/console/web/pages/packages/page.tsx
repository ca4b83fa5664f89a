import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, part, type Views } from "../../api";
import { chipName } from "../../../../../../hal/model-chip/chips";
import { bytes } from "../../format";
import { tell, useAction, useLive } from "../../live";
import { linkTo } from "../../location";
import { Ago, Chip, Copy, Empty, Head, ProblemNote, Sure } from "../../parts";
import { SampleDialog } from "./sample";
import { UploadBox } from "./upload";

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

const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

/** Of a signed container a device fetches its part alone, of another all. */
function Saving({ file, image }: { file: Views["package"]; image: number }): JSX.Element {
  const signed = file.signature === "signed";
  const least = signed ? Math.min(...file.container!.parts.map(({ size }) => size)) : file.size;
  return (
    <span class={least < image ? "under" : "under warn"}>
      {least < image ? `saves ${signed ? "up to " : ""}${share(image - least, image)}` : "saves nothing"}
    </span>
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
          <span class="warn">{file.problem ?? "not an ESP image"}</span>
        ) : (
          `${chipName(file.chip ?? 0)} · ${file.project ?? ""}`
        )}
        <span class="under">
          {bytes(file.size)}
          {file.size >= 1_000 && ` (${file.size.toLocaleString()} bytes)`}
        </span>
        {file.container?.parts.map(({ from, size }) => (
          <span class="under" key={from ?? ""}>
            {from === undefined ? "compressed" : `from ${from}`}: {bytes(size)}, {share(size, file.container!.image)} of{" "}
            {bytes(file.container!.image)}
          </span>
        ))}
        {file.container !== undefined && <Saving file={file} image={file.container.image} />}
        {file.imageVersion !== undefined && file.imageVersion !== file.version && (
          <span class="under warn">says {file.imageVersion} of itself</span>
        )}
        {file.imageVersion !== undefined && file.problem !== undefined && (
          <span class="under warn">would not boot: {file.problem}</span>
        )}
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
