/** Small things that pages are made of. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem, Views } from "./api";
import { ago, exact } from "./format";

export type Status = Views["task"]["status"];

export function Chip({ kind, children }: { kind: string; children: ComponentChildren }): JSX.Element {
  return <span class={`chip ${kind}`}>{children}</span>;
}

/** In the order of an update. */
export const STATUSES: readonly Status[] = ["pending", "pushed", "upgrading", "success", "failure", "cancelled"];

export function StatusChip({ status }: { status: Status }): JSX.Element {
  return <Chip kind={status}>{status}</Chip>;
}

type Sleep = Views["device"]["sleep"];

export function Online({ online, sleep }: { online: boolean; sleep: Sleep }): JSX.Element {
  const asleep = useNow() < wakeBy(sleep);
  return (
    <span class={`dot ${asleep ? "asleep" : online ? "on" : "off"}`}>
      <span class="word">{asleep ? "asleep" : online ? "online" : "offline"}</span>
      {sleep !== undefined && <Wake sleep={sleep} />}
    </span>
  );
}

/** A device that has announced its sleep and is a minute late is offline like any other. */
export function wakeBy(sleep: Sleep): number {
  return sleep?.basis === "announced" ? sleep.until + 60_000 : 0;
}

/** When a device that sleeps is expected: what it said, or what is only guessed. */
function Wake({ sleep: { until, basis } }: { sleep: NonNullable<Sleep> }): JSX.Element {
  const late = useNow() > until;
  const said = late ? "was to wake at" : "wakes at";
  const guessed = late ? "was expected at about" : "expected at about";
  const why = basis === "announced" ? "the device said so" : "a guess, from its last three absences";
  return (
    <time class="faint" dateTime={new Date(until).toISOString()} title={`${exact(until)}: ${why}`}>
      {` ${basis === "announced" ? said : guessed} ${new Date(until).toLocaleTimeString(undefined, { hour12: false })}`}
    </time>
  );
}

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function Ago({ at }: { at: number | undefined }): JSX.Element {
  const now = useNow();
  if (at === undefined) return <span class="faint">never</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {ago(at, Math.max(now, at))}
    </time>
  );
}

/** How far, 0 to 100. */
export function Progress({ percent, label }: { percent: number; label: string }): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (bar.current) bar.current.style.width = `${Math.max(0, Math.min(100, percent))}%`;
  }, [percent]);
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={label}
      aria-valuenow={Math.round(percent)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div ref={bar} />
    </div>
  );
}

const SHARES: readonly Status[] = ["success", "failure", "upgrading", "pushed", "pending", "cancelled"];

/** Devices by status as one bar, with a text for screen readers. */
export function Shares({ counts }: { counts: Views["counts"] }): JSX.Element {
  const total = Math.max(
    1,
    SHARES.reduce((sum, status) => sum + counts[status], 0),
  );
  const present = SHARES.filter((status) => counts[status] > 0);
  return (
    <svg
      class="shares"
      viewBox={`0 0 ${total} 1`}
      preserveAspectRatio="none"
      role="img"
      aria-label={present.map((status) => `${status} ${counts[status]}`).join(", ")}
    >
      {present.map((status, index) => (
        <rect
          class={status}
          x={present.slice(0, index).reduce((sum, one) => sum + counts[one], 0)}
          y={0}
          width={counts[status]}
          height={1}
        />
      ))}
    </svg>
  );
}

export function ProblemNote({ problem }: { problem: string | Problem | undefined }): JSX.Element | null {
  if (problem === undefined) return null;
  return (
    <p class="note problem" role="alert">
      {typeof problem === "string" ? problem : problem.message}
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p class="title">{title}</p>
      {children}
    </div>
  );
}

/** A page's head: what it is, what can be done. */
export function Head({
  title,
  above,
  children,
}: {
  title: ComponentChildren;
  above?: ComponentChildren;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <header class="head">
      <div>
        {above !== undefined && <p class="above">{above}</p>}
        <h1>{title}</h1>
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}

export function Copy({ text, shown }: { text: string; shown?: string }): JSX.Element {
  const [done, setDone] = useState(false);
  const copy = (): void => {
    void navigator.clipboard?.writeText(text).then(() => {
      setDone(true);
      setTimeout(() => setDone(false), 1_500);
    });
  };
  return (
    <button type="button" class="copy mono" title={text} aria-label={`copy ${text}`} onClick={copy}>
      {done ? "copied" : (shown ?? text)}
    </button>
  );
}

/** Opens over the page; Escape and a click beside it close it. */
export function Dialog({
  title,
  close,
  children,
}: {
  title: string;
  close: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    if (dialog?.open === false) dialog.showModal();
  }, []);
  return (
    <dialog
      ref={box}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === box.current) box.current?.close();
      }}
    >
      <div class="dialog">
        <header>
          <h2>{title}</h2>
          <button type="button" class="quiet" aria-label="close" onClick={() => box.current?.close()}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** A button that asks once more before it does something that can not be undone. */
export function Sure({
  label,
  question,
  disabled,
  quiet,
  act,
}: {
  label: string;
  question: string;
  disabled?: boolean;
  quiet?: boolean;
  act: () => void;
}): JSX.Element {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return undefined;
    const timer = setTimeout(() => setAsked(false), 4_000);
    return () => clearTimeout(timer);
  }, [asked]);
  const click = (): void => {
    setAsked(!asked);
    if (asked) act();
  };
  return (
    <button type="button" class={asked ? "danger" : quiet === true ? "quiet" : ""} disabled={disabled} onClick={click}>
      {asked ? question : label}
    </button>
  );
}

export function Pages({
  total,
  offset,
  limit,
  go,
}: {
  total: number;
  offset: number;
  limit: number;
  go: (offset: number) => void;
}): JSX.Element | null {
  if (total <= limit) return null;
  return (
    <nav class="pages" aria-label="pages">
      <button type="button" disabled={offset === 0} onClick={() => go(Math.max(0, offset - limit))}>
        Previous
      </button>
      <span>
        {offset + 1} to {Math.min(total, offset + limit)} of {total}
      </span>
      <button type="button" disabled={offset + limit >= total} onClick={() => go(offset + limit)}>
        Next
      </button>
    </nav>
  );
}
