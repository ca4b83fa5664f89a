/**
 * A fleet whose broker goes away and comes back, in virtual time: when each device tries to connect, and when it is
 * back.
 */
import { generator } from "../../faults/weak-link";
import type { SessionOutput } from "../../../src/mqtt/outputs";
import { MqttSession } from "../../../src/mqtt/session";

export interface Reconnects {
  readonly devices: number;
  /** Seconds. */
  readonly outage: number;
  /** Connects tried in each second since the broker went away. */
  readonly attempts: readonly number[];
  /** Devices that came back in each second since the broker returned. */
  readonly returns: readonly number[];
}

const ROUND_TRIP = 50;
/** Connected for so long before: the backoff begins anew. */
const UP_BEFORE = 60_000;
const CONNACK = Uint8Array.of(0x20, 2, 0, 0);

/** What the network does next for a device, and when. */
interface Answer {
  readonly at: number;
  readonly event: "opened" | "refused";
}

/** All are connected, then all connections are reset at once and every connect is refused until the outage is over. */
export function reconnects(devices: number, outage: number, seed: number): Reconnects {
  const over = UP_BEFORE + outage * 1000;
  const attempts: number[] = [];
  const returns: number[] = [];
  const count = (into: number[], second: number): void => {
    while (into.length <= second) into.push(0);
    into[second]!++;
  };
  for (let index = 0; index < devices; index++) {
    const session = new MqttSession({
      identity: () => ({ clientId: `device-${index}`, keepAlive: 0 }),
      subscriptions: [],
      random: generator(seed * 10_000 + index),
    });
    const answers: Answer[] = [];
    const run = (effects: readonly SessionOutput[], now: number): void => {
      for (const effect of effects)
        if (effect.type === "connect")
          answers.push({ at: now + ROUND_TRIP, event: now >= UP_BEFORE && now < over ? "refused" : "opened" });
    };
    const connected = (now: number): void => {
      run(session.opened(now), now);
      session.readTarget().set(CONNACK);
      run(session.received(CONNACK.length, now), now);
    };
    run(session.start(0), 0);
    connected(ROUND_TRIP);
    answers.length = 0;
    run(session.closed({ kind: "reset", message: "reset" }, UP_BEFORE), UP_BEFORE);
    while (!session.isUp) {
      const [next] = answers;
      const wake = session.deadline() ?? Infinity;
      if (next !== undefined && next.at <= wake) {
        answers.shift();
        if (next.event === "opened") connected(next.at);
        else run(session.closed({ kind: "refused", message: "connection refused" }, next.at), next.at);
        if (session.isUp) count(returns, Math.floor((next.at - over) / 1000));
        continue;
      }
      const effects = session.tick(wake);
      if (effects.some(({ type }) => type === "connect")) count(attempts, Math.floor((wake - UP_BEFORE) / 1000));
      run(effects, wake);
    }
  }
  return { devices, outage, attempts, returns };
}

const WIDTH = 900;
const HEIGHT = 260;
const MARGIN = { left: 50, bottom: 36, top: 30 };

/** Both histograms over one axis, as SVG. */
export function plotReconnects({ devices, outage, attempts, returns }: Reconnects): string {
  const seconds = Math.max(attempts.length, outage + returns.length);
  const most = Math.max(...attempts, ...returns);
  const x = (second: number): number => MARGIN.left + (second / seconds) * (WIDTH - MARGIN.left - 10);
  const y = (value: number): number => HEIGHT - MARGIN.bottom - (value / most) * (HEIGHT - MARGIN.bottom - MARGIN.top);
  const bars = (values: readonly number[], from: number, fill: string): string =>
    values
      .map((value, index) =>
        value === 0
          ? ""
          : `<rect x="${x(from + index).toFixed(1)}" y="${y(value).toFixed(1)}" width="${Math.max(1, x(1) - x(0) - 0.5).toFixed(1)}" height="${(y(0) - y(value)).toFixed(1)}" fill="${fill}"/>`,
      )
      .join("");
  const every = seconds > 120 ? 30 : 10;
  const ticks = Array.from(
    { length: Math.floor(seconds / every) + 1 },
    (_, index) =>
      `<text x="${x(index * every).toFixed(1)}" y="${HEIGHT - 18}" text-anchor="middle">${index * every}</text>`,
  ).join("");
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">` +
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>` +
    `<text x="${MARGIN.left}" y="18">${devices} devices, broker away for ${outage} s: connects tried (grey) and devices back (green) in each second</text>` +
    `<line x1="${x(outage).toFixed(1)}" x2="${x(outage).toFixed(1)}" y1="${MARGIN.top}" y2="${y(0).toFixed(1)}" stroke="#c33" stroke-dasharray="4"/>` +
    `<text x="${x(outage).toFixed(1)}" y="${MARGIN.top + 10}" fill="#c33"> broker is back</text>` +
    bars(attempts, 0, "#999") +
    bars(returns, outage, "#2a7") +
    `<text x="${MARGIN.left - 6}" y="${y(most).toFixed(1)}" text-anchor="end" dominant-baseline="hanging">${most}</text><text x="${MARGIN.left - 6}" y="${y(0).toFixed(1)}" text-anchor="end">0</text>` +
    `${ticks}<text x="${WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">seconds since the broker went away</text></svg>\n`
  );
}
