/** What a device costs that is offered nothing: bytes of a day, plain and over TLS, for docs/PLATFORMS.md. */
import { table } from "../output/table";
import { idleDay, IDLE_KINDS } from "../simulation/idle";
import type { IdleDay, IdleKind } from "../simulation/idle";
import { countExchange } from "./first-byte";

/** Of a record of TLS 1.2 with AES-GCM: header, nonce, tag (RFC 5246, 6.2; RFC 5288, 3). */
const RECORD = 5 + 8 + 16;

export interface IdleRow extends IdleDay {
  readonly kind: IdleKind;
}

export async function measureIdle(): Promise<IdleRow[]> {
  const rows: IdleRow[] = [];
  for (const kind of IDLE_KINDS) rows.push({ kind, ...(await idleDay(kind)) });
  return rows;
}

/** One row of the document without TLS. */
export function plainCells({ kind, connections, messages, up, down }: IdleRow): (string | number)[] {
  const polled = kind.pollSeconds !== undefined;
  return [
    polled ? `${kind.title}, each ${kind.pollSeconds} s` : kind.title,
    polled ? connections : "one that stays",
    polled ? `${Math.round(up / connections)} + ${Math.round(down / connections)}` : `${messages} packets a day`,
    up + down,
  ];
}

/** The last column is real TLS on this machine's loopback, P-256 certificates; of a connection that stays only its records. */
export async function idleTable(rows: readonly IdleRow[]): Promise<string> {
  const cells: (string | number)[][] = [];
  for (const row of rows) {
    const { kind, connections, messages, up, down } = row;
    const tls =
      kind.pollSeconds === undefined
        ? up + down + messages * RECORD
        : connections * (await countExchange("ec", Math.round(up / connections), Math.round(down / connections)));
    cells.push([...plainCells(row), tls]);
  }
  return table(["", "connections a day", "bytes up + down", "bytes a day", "over TLS"], cells);
}
