import type { JSX } from "preact";
import { part, type Views } from "../../api";
import { bytes, duration } from "../../format";
import { useLive } from "../../live";
import { Ago, ProblemNote } from "../../parts";

type Recording = Views["recording"];
type Boot = Recording["boots"][number];

/** Breaks that are listed. */
const LISTED = 12;

/** What the device recorded of its updates that failed, the newest first. */
export function Recordings({ id }: { id: string }): JSX.Element | null {
  const { data, problem } = useLive<{ items: Recording[] }>(`/devices/${part(id)}/recordings`, ["devices"], id);
  const [newest, ...others] = data?.items ?? [];
  if (newest === undefined) return problem === undefined ? null : <ProblemNote problem={problem} />;
  return (
    <section class="board recordings" aria-label="recordings of failed updates">
      <h2>Recording of the last failure</h2>
      <RecordingView id={id} recording={newest} />
      {others.map((recording) => (
        <details key={recording.reference}>
          <summary>
            {recording.reference}, <Ago at={recording.at} />: {recording.cause}
          </summary>
          <RecordingView id={id} recording={recording} />
        </details>
      ))}
    </section>
  );
}

function RecordingView({ id, recording }: { id: string; recording: Recording }): JSX.Element {
  const { reference, at, size, cause, meaning, doubt, boots } = recording;
  return (
    <article class="recording">
      <p>
        <strong>{sentence(meaning)}</strong>
      </p>
      <p class="soft">{sentence(cause)}</p>
      {boots.map((boot, index) => (
        <BootLine key={index} boot={boot} />
      ))}
      {doubt !== undefined && <p class="faint">The phases are not shown: {doubt}.</p>}
      <p class="row">
        <a
          class="button"
          href={`/cloud/v1/devices/${part(id)}/recordings/${part(reference)}`}
          download={`${reference}.xsr`}
        >
          Download {reference}.xsr
        </a>
        <span class="faint">
          {bytes(size)}, <Ago at={at} />. <code>xs-ota replay {reference}.xsr</code> runs it again.
        </span>
      </p>
    </article>
  );
}

/** One boot: its phases as a bar, the breaks as marks on it, the bytes as a curve over it. */
function BootLine({ boot }: { boot: Boot }): JSX.Element {
  const { title, end, phases, breaks, stored } = boot;
  const total = stored.at(-1)?.bytes ?? 0;
  const said = [
    title,
    duration(end),
    ...(phases.length === 0 ? [] : [phases.map(({ state }) => state).join(", ")]),
    `${breaks.length} breaks`,
    `${bytes(total)} stored`,
  ].join("; ");
  return (
    <figure class="timeline">
      <figcaption>
        {title} <span class="faint">{said.slice(title.length + 2)}</span>
      </figcaption>
      <svg viewBox="0 0 1000 60" preserveAspectRatio="none" role="img" aria-label={said}>
        {phases.map(({ state, from, to }, index) => (
          <rect
            key={index}
            class={`phase ${state}`}
            x={place(from, end)}
            y={40}
            width={width(from, to, end)}
            height={16}
          >
            <title>{`${state}: ${duration(to - from)}`}</title>
          </rect>
        ))}
        {total > 0 && <polyline class="stored" points={curve(stored, end, total)} vector-effect="non-scaling-stroke" />}
        {breaks.map(({ at, text }, index) => (
          <line
            key={index}
            class="break"
            x1={place(at, end)}
            x2={place(at, end)}
            y1={30}
            y2={60}
            vector-effect="non-scaling-stroke"
          >
            <title>{`${duration(at)}: ${text}`}</title>
          </line>
        ))}
      </svg>
      <Legend boot={boot} />
      <Breaks breaks={breaks} />
    </figure>
  );
}

function Legend({ boot: { phases, breaks, stored } }: { boot: Boot }): JSX.Element {
  const times = new Map<string, number>();
  for (const { state, from, to } of phases) times.set(state, (times.get(state) ?? 0) + to - from);
  return (
    <ul class="legend">
      {[...times].map(([state, time]) => (
        <li key={state}>
          <span class={`swatch phase ${state}`} /> {state} {duration(time)}
        </li>
      ))}
      {stored.length > 0 && (
        <li>
          <span class="swatch stored" /> bytes stored
        </li>
      )}
      {breaks.length > 0 && (
        <li>
          <span class="swatch break" /> break
        </li>
      )}
    </ul>
  );
}

function Breaks({ breaks }: { breaks: Boot["breaks"] }): JSX.Element | null {
  if (breaks.length === 0) return null;
  return (
    <ol class="events" aria-label="breaks and retries">
      {breaks.slice(-LISTED).map(({ at, text, wait }, index) => (
        <li key={index}>
          <span class="when mono">{duration(at)}</span>
          <span>
            {text}
            {wait > 0 && <span class="faint">; again after {duration(wait)}</span>}
          </span>
        </li>
      ))}
      {breaks.length > LISTED && <li class="faint">{breaks.length - LISTED} earlier ones are in the file.</li>}
    </ol>
  );
}

const place = (at: number, end: number): number => (end === 0 ? 0 : (at / end) * 1000);

/** Wide enough to be seen. */
const width = (from: number, to: number, end: number): number => Math.max(2, place(to, end) - place(from, end));

const curve = (stored: Boot["stored"], end: number, total: number): string =>
  [{ at: stored[0]?.at ?? 0, bytes: 0 }, ...stored, { at: end, bytes: total }]
    .map(({ at, bytes: count }) => `${place(at, end).toFixed(1)},${(36 - (count / total) * 34).toFixed(1)}`)
    .join(" ");

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
