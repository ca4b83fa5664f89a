/** Writes both bundles into `folder` (default: src/vendor); returns their paths. */
export function buildVendor(folder?: string): Promise<string[]>;
