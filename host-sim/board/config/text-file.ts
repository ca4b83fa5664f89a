/**
 * Text files that people write. Windows shells and editors write UTF-16, or UTF-8 with a byte order mark, where the
 * same tools elsewhere write plain UTF-8.
 */
import { readFileSync } from "node:fs";
import { fileReason } from "./file-errors";

/** Decodes UTF-8, or UTF-16 with a byte order mark. The mark is no part of the text. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** Throws one line that names the file. */
export function readText(path: string): string {
  try {
    return decodeText(readFileSync(path));
  } catch (error) {
    throw new Error(`${path} can not be read: ${fileReason(error)}`, { cause: error });
  }
}

/** A JSON file. Throws one line that names the file, and never shows its text. */
export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return parseJson(text);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Does not pass on the engine's message: it quotes the text, which may hold a secret. */
export function parseJson(text: string): unknown {
  if (text.trim() === "") throw new Error("is not JSON: it is empty");
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`is not JSON (line ${firstWrongLine(text)})`);
  }
}

/**
 * The engine names a position in some of its messages only. The first lines of a text, up to the one before the first
 * mistake, are JSON that ends too early; with that line they are not. Found by bisection.
 */
function firstWrongLine(text: string): number {
  const lines = text.split("\n");
  let [right, wrong] = [0, lines.length];
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1;
    if (endsEarly(`${lines.slice(0, middle).join("\n")}\n`)) right = middle;
    else wrong = middle;
  }
  return wrong;
}

function endsEarly(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    return message.startsWith("Unexpected end of ") || Number(/ position (\d+)/.exec(message)?.[1]) >= text.length;
  }
}
