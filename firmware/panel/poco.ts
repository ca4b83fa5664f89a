/** Draws the status on a screen of 240 x 320 pixels or more with Commodetto's Poco. */
import parseBMF from "commodetto/parseBMF";
import Poco from "commodetto/Poco";
import type { PocoPrototype } from "commodetto/Poco";
import Resource from "Resource";
import type { MakePanel } from "./panel";
import { firstStatus, kib, nextStatus } from "./status";
import type { Mood, Status } from "./status";

type Colour = number;
type Font = ReturnType<typeof parseBMF>;
type Rgb = readonly [red: number, green: number, blue: number];

/** Frozen, as all that is preloaded. */
const rgb = (red: number, green: number, blue: number): Rgb => Object.freeze([red, green, blue] as const);

const INK = rgb(16, 24, 36);
const SURFACE = rgb(30, 42, 60);
const GROOVE = rgb(50, 66, 90);
const TEXT = rgb(238, 243, 250);
const MUTED = rgb(150, 166, 188);
const MOODS: { readonly [mood in Mood]: Rgb } = Object.freeze({
  calm: rgb(122, 144, 176),
  busy: rgb(74, 168, 255),
  trial: rgb(255, 184, 64),
  good: rgb(76, 208, 132),
  bad: rgb(255, 106, 106),
});

const MARGIN = 16;
const BAR = 16;

export const makePanel: MakePanel = (name, running) => {
  const view = new View(name);
  let status = firstStatus(running);
  view.draw(status);
  return {
    show(notice) {
      status = nextStatus(status, notice);
      view.draw(status);
    },
  };
};

class View {
  readonly #name: string;
  readonly #poco: PocoPrototype = new Poco(screen, { displayListLength: 4096 });
  readonly #small = font("OpenSans-Regular-16.bf4");
  readonly #bold = font("OpenSans-Semibold-20.bf4");
  readonly #large = font("OpenSans-Semibold-28.bf4");

  constructor(name: string) {
    this.#name = name;
  }

  draw(status: Status): void {
    const poco = this.#poco;
    const mood = this.colour(MOODS[status.mood]);
    poco.begin();
    poco.fillRectangle(this.colour(INK), 0, 0, poco.width, poco.height);
    this.header(mood);
    this.firmware(status);
    this.progress(status, mood);
    poco.end();
  }

  private header(mood: Colour): void {
    const poco = this.#poco;
    poco.fillRectangle(this.colour(SURFACE), 0, 0, poco.width, 46);
    poco.fillRectangle(mood, 0, 46, poco.width, 3);
    this.text("xs-ota", this.#bold, TEXT, MARGIN, 11);
    const name = this.cut(this.#name, this.#small, poco.width - 2 * MARGIN - 80);
    this.text(name, this.#small, MUTED, poco.width - MARGIN - poco.getTextWidth(name, this.#small), 14);
  }

  private firmware(status: Status): void {
    const width = this.#poco.width - 2 * MARGIN;
    this.text("Firmware", this.#small, MUTED, MARGIN, 64);
    this.text(this.cut(status.version, this.#large, width), this.#large, TEXT, MARGIN, 82);
    const slot = this.pill(status.slot, this.colour(GROOVE), TEXT, MARGIN, 124);
    const word = status.confirmed ? "confirmed" : "on trial";
    this.pill(word, this.colour(MOODS[status.confirmed ? "good" : "trial"]), INK, MARGIN + slot + 8, 124);
  }

  private progress(status: Status, mood: Colour): void {
    const { offered, percent, size } = status;
    const poco = this.#poco;
    const width = poco.width - 2 * MARGIN;
    this.rounded(this.colour(SURFACE), MARGIN - 8, 166, width + 16, poco.height - 166 - 8);
    poco.fillRectangle(mood, MARGIN, 183, 4, 18);
    this.text(this.cut(status.headline, this.#bold, width - 12), this.#bold, TEXT, MARGIN + 12, 178);
    let y = 212;
    if (percent !== undefined) {
      const right = size === 0 ? "" : `${Math.round((size * percent) / 100 / 1024)} of ${kib(size)}`;
      this.text(`to ${offered ?? ""}`, this.#small, MUTED, MARGIN, y);
      this.text(right, this.#small, TEXT, MARGIN + width - poco.getTextWidth(right, this.#small), y);
      this.rounded(this.colour(GROOVE), MARGIN, y + 26, width, BAR);
      const filled = Math.round((width * percent) / 100);
      if (filled >= 6) this.rounded(mood, MARGIN, y + 26, filled, BAR);
      y += 26 + BAR + 10;
    }
    for (const line of this.wrap(status.detail, width, Math.floor((poco.height - 10 - y) / 18))) {
      this.text(line, this.#small, MUTED, MARGIN, y);
      y += 18;
    }
  }

  private colour([red, green, blue]: Rgb): Colour {
    return this.#poco.makeColor(red, green, blue);
  }

  private text(text: string, font: Font, colour: Rgb, x: number, y: number): void {
    this.#poco.drawText(text, font, this.colour(colour), x, y);
  }

  /** Returns its width. */
  private pill(text: string, fill: Colour, colour: Rgb, x: number, y: number): number {
    const width = this.#poco.getTextWidth(text, this.#small) + 20;
    this.rounded(fill, x, y, width, 26);
    this.text(text, this.#small, colour, x + 10, y + 2);
    return width;
  }

  private rounded(colour: Colour, x: number, y: number, width: number, height: number): void {
    const poco = this.#poco;
    poco.fillRectangle(colour, x + 3, y, width - 6, height);
    poco.fillRectangle(colour, x + 1, y + 1, width - 2, height - 2);
    poco.fillRectangle(colour, x, y + 3, width, height - 6);
  }

  private cut(text: string, font: Font, width: number): string {
    if (this.#poco.getTextWidth(text, font) <= width) return text;
    let length = text.length;
    while (length > 0 && this.#poco.getTextWidth(`${text.slice(0, length)}...`, font) > width) length--;
    return `${text.slice(0, length)}...`;
  }

  private wrap(text: string, width: number, rows: number): string[] {
    const lines: string[] = [];
    let line = "";
    for (const word of text.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (this.#poco.getTextWidth(longer, this.#small) <= width) line = longer;
      else {
        lines.push(line);
        line = word;
      }
    }
    lines.push(line);
    return lines
      .filter((each) => each !== "")
      .slice(0, rows)
      .map((each) => this.cut(each, this.#small, width));
  }
}

const font = (name: string): Font => parseBMF(new Resource(name));
