/** The list of devices: CSV as spreadsheets and consoles write it, with the line and column of everything in it. */
import { CsvError, parse } from "csv-parse/sync";
import { readText } from "../board/config/text-file";
import { VOUCHER, settingOf } from "./columns";

export interface Cell {
  readonly value: string;
  /** "line 4, column 2 (deviceSecret)"; for a value of the command line, what it was given by. */
  readonly at: string;
}

export interface Row {
  readonly line: number;
  /** By the names of settings on a chip; empty cells are absent. */
  readonly cells: ReadonlyMap<string, Cell>;
}

export interface DevicesFile {
  readonly rows: readonly Row[];
  /** Columns that are no settings. */
  readonly leftOut: readonly string[];
}

interface Parsed {
  readonly record: readonly string[];
  readonly line: number;
}

/** Throws one line that names file, line and column. `ignored`: columns that are to be left out. */
export function readDevices(path: string, ignored: readonly string[]): DevicesFile {
  const text = readText(path);
  const fail = (message: string): never => {
    throw new Error(`${path}: ${message}`);
  };
  const [header, ...records] = parsed(text, fail);
  if (header === undefined) return fail("is empty: the first line names the columns");
  const leftOut: string[] = [];
  const keys = header.record.map((column, index) => {
    const key = ignored.includes(column) ? null : settingOf(column);
    const at = `line ${header.line}, column ${index + 1} (${column})`;
    if (key === undefined)
      return fail(`${at}: is no setting of a device; --ignore ${JSON.stringify(column)} leaves it out`);
    if (key === null) leftOut.push(column);
    return key;
  });
  const twice = keys.find((key, index) => key !== null && keys.indexOf(key) !== index);
  if (twice !== undefined) fail(`two columns are ${twice}`);
  if (records.length === 0) fail("has no devices: only the line that names the columns");
  return {
    rows: records.map(({ record, line }) => {
      if (record.length !== keys.length)
        return fail(`line ${line}: ${record.length} fields, the first line has ${keys.length}`);
      return { line, cells: cellsOf(record, keys, header.record, line, fail) };
    }),
    leftOut,
  };
}

function parsed(text: string, fail: (message: string) => never): Parsed[] {
  const first = text.split(/\r?\n/, 1)[0]!;
  const delimiter = [",", ";", "\t"].reduce((best, each) => (count(first, each) > count(first, best) ? each : best));
  try {
    const options = { delimiter, info: true, relax_column_count: true, skip_empty_lines: true, trim: true } as const;
    const found = parse(text, options) as unknown as { readonly record: string[]; readonly info: { lines: number } }[];
    // `lines` is the line that the record ends on.
    return found.map(({ record, info }) => ({ record, line: info.lines - count(record.join(""), "\n") }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The rest of its message quotes the field, which may be a secret.
    return fail(`is not CSV: ${error.message.split(":", 1)[0]!.toLowerCase()} (line ${String(error["lines"])})`);
  }
}

function cellsOf(
  record: readonly string[],
  keys: readonly (string | null)[],
  header: readonly string[],
  line: number,
  fail: (message: string) => never,
): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  record.forEach((value, index) => {
    const key = keys[index];
    if (key === null || key === undefined || value === "") return;
    const at = `line ${line}, column ${index + 1} (${header[index]!})`;
    if (key !== VOUCHER) cells.set(key, { value, at });
    else for (const [name, part] of voucher(value, at, fail)) cells.set(name, { value: part, at });
  });
  return cells;
}

/** ThingsPanel v1: {"username":"...","password":"..."}. The older ones are the token alone. */
function voucher(value: string, at: string, fail: (message: string) => never): [string, string][] {
  if (!value.startsWith("{")) return [["username", value]];
  try {
    const { username, password } = JSON.parse(value) as { readonly username?: unknown; readonly password?: unknown };
    if (typeof username !== "string") throw new Error();
    return [
      ["username", username],
      ...(typeof password === "string" ? [["password", password] as [string, string]] : []),
    ];
  } catch {
    return fail(`${at}: is neither a token nor JSON with a username`);
  }
}

const count = (text: string, part: string): number => text.split(part).length - 1;
