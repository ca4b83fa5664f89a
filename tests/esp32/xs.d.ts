/** XS's way to a C function; native-chip.ts stands in for it. */
declare function native(name: string): (this: unknown, ...args: unknown[]) => unknown;
