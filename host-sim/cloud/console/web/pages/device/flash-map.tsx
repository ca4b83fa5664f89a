/** What is in a simulated board's flash, sector by sector, as it changes. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { part, type Views } from "../../api";
import { bytes } from "../../format";
import { Chip } from "../../parts";

type Map = Views["flash"];
type Slot = Map["slots"][number];

const KINDS = [
  ["i", "image", "bootable image"],
  ["v", "verified", "written and read back"],
  ["w", "written", "written, not yet claimed"],
  ["e", "erased", "erased"],
  ["o", "old", "left from before"],
] as const;

/** Sectors in a row of the map. */
const COLUMNS = 40;

export function FlashMapView({ name, power }: { name: string; power: boolean }): JSX.Element {
  const map = useFlash(name);
  if (map === undefined) return <p class="faint">The flash is being made …</p>;
  return (
    <div class="flash">
      <div class="slots">
        {map.slots.map((slot) => (
          <SlotView key={slot.label} slot={slot} map={map} power={power} />
        ))}
      </div>
      <ul class="legend" aria-label="legend">
        {KINDS.map(([letter, kind, text]) => (
          <li key={letter}>
            <span class={`swatch ${kind}`} /> {text}
          </li>
        ))}
        <li>
          <span class="swatch checkpoint" /> checkpoint
        </li>
      </ul>
    </div>
  );
}

function useFlash(name: string): Map | undefined {
  const [map, setMap] = useState<Map | undefined>();
  useEffect(() => {
    const stream = new EventSource(`/cloud/v1/events?board=${part(name)}`);
    stream.addEventListener("flash", (event) => setMap(JSON.parse((event as MessageEvent<string>).data) as Map));
    return () => stream.close();
  }, [name]);
  return map;
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  new: "will be tried",
  pending: "on trial",
  valid: "confirmed",
  invalid: "rolled back",
  aborted: "trial aborted",
  undefined: "no state",
  none: "no boot entry",
};

const CHIP_KINDS: Readonly<Record<string, string>> = {
  new: "pushed",
  pending: "upgrading",
  valid: "success",
  invalid: "failure",
  aborted: "failure",
};

function SlotView({ slot, map, power }: { slot: Slot; map: Map; power: boolean }): JSX.Element {
  const { label, size, running, version, bootable, state, sectors, erases } = slot;
  const target = !running && map.job !== undefined && map.job.stored > 0 ? map.job : undefined;
  const counts = KINDS.map(([letter, , text]) => [text, count(sectors, letter)] as const).filter(
    ([, number]) => number > 0,
  );
  return (
    <figure>
      <figcaption>
        <span class="row">
          <strong class="mono">{label}</strong>
          {running && <Chip kind={power ? "success" : "cancelled"}>{power ? "running" : "boots next"}</Chip>}
          <Chip kind={CHIP_KINDS[state] ?? "cancelled"}>{STATE_WORDS[state] ?? state}</Chip>
        </span>
        <span>
          {bootable
            ? `version ${version ?? ""}`
            : target === undefined
              ? "nothing that boots"
              : `receives ${target.version}`}
        </span>
        <span class="faint">
          {target === undefined
            ? bytes(size)
            : `${bytes(target.stored)} of ${bytes(target.size)} safe (${target.phase})`}{" "}
          · {erases.toLocaleString()} erases so far
        </span>
      </figcaption>
      <Sectors
        sectors={sectors}
        checkpoint={target === undefined ? undefined : Math.floor(target.stored / map.sectorSize)}
        label={`${label}: ${counts.map(([text, number]) => `${number} sectors ${text}`).join(", ")}`}
      />
    </figure>
  );
}

function count(sectors: string, letter: string): number {
  let sum = 0;
  for (const one of sectors) if (one === letter) sum++;
  return sum;
}

/** A thousand squares: one canvas, painted in the theme's colours. */
function Sectors({
  sectors,
  checkpoint,
  label,
}: {
  sectors: string;
  checkpoint: number | undefined;
  label: string;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const repaint = (): void => setWidth((now) => now + 0.001);
    const theme = new MutationObserver(repaint);
    theme.observe(document.documentElement, { attributes: true });
    scheme.addEventListener("change", repaint);
    return () => {
      observer.disconnect();
      theme.disconnect();
      scheme.removeEventListener("change", repaint);
    };
  }, []);
  useEffect(() => {
    const element = canvas.current;
    if (element && width > 0) paint(element, sectors, checkpoint);
  }, [sectors, checkpoint, width]);
  return <canvas ref={canvas} role="img" aria-label={label} />;
}

/**
 * A role of the palette as a canvas takes it: of a custom property a script gets the text, with `light-dark()`
 * unresolved.
 */
function colourOf(element: HTMLElement, role: string): string {
  element.style.color = `var(--${role})`;
  const { color } = getComputedStyle(element);
  element.style.removeProperty("color");
  return color;
}

function paint(canvas: HTMLCanvasElement, sectors: string, checkpoint: number | undefined): void {
  const scale = devicePixelRatio;
  const pitch = canvas.clientWidth / COLUMNS;
  const rows = Math.ceil(sectors.length / COLUMNS);
  canvas.style.height = `${rows * pitch}px`;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(rows * pitch * scale);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(scale, scale);
  const gap = pitch > 5 ? 1 : 0.5;
  const colours = Object.fromEntries(KINDS.map(([letter, kind]) => [letter, colourOf(canvas, `flash-${kind}`)]));
  for (let index = 0; index < sectors.length; index++) {
    context.fillStyle = colours[sectors[index]!] ?? "red";
    context.fillRect((index % COLUMNS) * pitch, Math.floor(index / COLUMNS) * pitch, pitch - gap, pitch - gap);
  }
  if (checkpoint === undefined) return;
  context.fillStyle = colourOf(canvas, "flash-checkpoint");
  context.fillRect((checkpoint % COLUMNS) * pitch - 1, Math.floor(checkpoint / COLUMNS) * pitch - 1, 3, pitch + 1);
}
