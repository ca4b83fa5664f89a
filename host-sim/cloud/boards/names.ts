/** Part of file names, device names and topics. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** Throws one line. */
export function checkName(name: string): void {
  if (!NAME.test(name))
    throw new Error("a board's name has 1 to 32 small letters, digits and hyphens, the last not at its ends");
}

/** "board-1" or the first such name that is free. */
export function freeName(taken: (name: string) => boolean): string {
  for (let number = 1; ; number++) if (!taken(`board-${number}`)) return `board-${number}`;
}
