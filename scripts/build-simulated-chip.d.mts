/** Writes bundle and declarations; returns the path of the bundle. */
export function buildSimulatedChip(folder?: string): Promise<string>;
