/** How many devices had been asked, had succeeded and had failed at each time. */
import type { JSX } from "preact";
import type { Views } from "../../api";
import { duration } from "../../format";

type Point = Views["rolloutDetail"]["timeline"][number];

const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 44;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 28;
const LINES = ["asked", "success", "failure"] as const;
/** What was drawn last lies on top: what came of it, and of two lines at nought the good one. */
const DRAWN = ["asked", "failure", "success"] as const;

export function RolloutChart({ points }: { points: readonly Point[] }): JSX.Element {
  const start = points[0]!.at;
  const end = Math.max(start + 1, points.at(-1)!.at);
  const x = (at: number): number => LEFT + ((at - start) / (end - start)) * (WIDTH - LEFT - RIGHT);
  const last = points.at(-1)!;
  // Up to those asked, not to all: in the first of many waves everything else would be flat.
  const highest = Math.max(1, ...points.map(({ asked, success, failure }) => Math.max(asked, success + failure)));
  const y = (count: number): number => HEIGHT - BOTTOM - (count / highest) * (HEIGHT - TOP - BOTTOM);
  const grid = ticks(highest);
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`After ${duration(end - start)}: ${last.asked} asked, ${last.success} succeeded, ${last.failure} failed`}
      >
        {grid.map((count) => (
          <g key={count}>
            <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(count)} y2={y(count)} />
            <text x={LEFT - 8} y={y(count) + 4} text-anchor="end">
              {count}
            </text>
          </g>
        ))}
        {[0, 0.5, 1].map((share) => (
          <text
            key={share}
            x={x(start + share * (end - start))}
            y={HEIGHT - 8}
            text-anchor={share === 0 ? "start" : share === 1 ? "end" : "middle"}
          >
            {share === 0 ? "start" : duration(share * (end - start))}
          </text>
        ))}
        {DRAWN.map((line) => (
          <path key={line} class={line} d={stairs(points.map((point) => [x(point.at), y(point[line])]))} />
        ))}
      </svg>
      <figcaption>
        {LINES.map((line) => (
          <span key={line} class="row">
            <span class={`swatch ${line}`} /> {line} <strong>{last[line]}</strong>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** A count keeps its value until it changes. */
function stairs(points: readonly (readonly [number, number])[]): string {
  return points
    .map(([x, y], index) => (index === 0 ? `M${x.toFixed(1)} ${y.toFixed(1)}` : `H${x.toFixed(1)}V${y.toFixed(1)}`))
    .join("");
}

/** About four round numbers up to the highest. */
function ticks(highest: number): number[] {
  const raw = Math.max(1, highest / 4);
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= raw) ?? raw;
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => index * step);
}
