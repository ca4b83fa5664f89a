/** Bar charts as SVG, readable on light and dark backgrounds. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Written behind the bar. */
  readonly text: string;
  readonly ours: boolean;
}
export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** Bars end here, with a mark; default: the largest value. */
  readonly limit?: number;
  /** A dashed line, with its name. */
  readonly mark?: { readonly value: number; readonly label: string };
}

const [WIDTH, LEFT, RIGHT, ROW, TITLE, GAP] = [760, 190, 130, 26, 46, 22];

export function plot(title: string, panels: readonly Panel[]): string {
  let y = 40;
  const parts: string[] = [];
  for (const panel of panels) {
    parts.push(...draw(panel, y));
    y += TITLE + panel.bars.length * ROW + GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    `<text x="16" y="28" font-size="17" font-weight="600" fill="#1f2933">${escape(title)}</text>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function draw({ title, bars, limit, mark }: Panel, top: number): string[] {
  const most = limit ?? Math.max(...bars.map(({ value }) => value), mark?.value ?? 0, 1e-9);
  const x = (value: number): number => LEFT + (Math.min(value, most) / most) * (WIDTH - LEFT - RIGHT);
  const first = top + TITLE - 8;
  const lines = [`<text x="16" y="${top + 18}" font-weight="600" fill="#3e4c59">${escape(title)}</text>`];
  bars.forEach(({ label, value, text, ours }, row) => {
    const y = first + row * ROW;
    const end = x(value);
    lines.push(
      `<text x="${LEFT - 8}" y="${y + 15}" text-anchor="end" fill="#1f2933"${ours ? ' font-weight="600"' : ""}>${escape(label)}</text>`,
      `<rect x="${LEFT}" y="${y + 2}" width="${Math.max(1.5, end - LEFT).toFixed(1)}" height="${ROW - 8}" rx="2" fill="${ours ? "#0b6e4f" : "#9fb3c8"}"/>`,
      `<text x="${(end + 7).toFixed(1)}" y="${y + 15}" fill="#1f2933">${value > most ? "» " : ""}${escape(text)}</text>`,
    );
  });
  if (mark !== undefined) {
    const at = x(mark.value).toFixed(1);
    lines.push(
      `<line x1="${at}" x2="${at}" y1="${first - 2}" y2="${first + bars.length * ROW}" stroke="#ba2525" stroke-dasharray="4 3"/>`,
      `<text x="${at}" y="${first - 6}" text-anchor="middle" font-size="11" fill="#ba2525">${escape(mark.label)}</text>`,
    );
  }
  return lines;
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
