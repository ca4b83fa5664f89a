import type { Plugin } from "esbuild";

/** esbuild plugin for any bundle that is to run on XS: the changed packages, and stand-ins for what they require. */
export function vendorPlugin(): Plugin;

/** Writes both bundles and their declarations into `folder` (default: build/vendor); returns the paths of the bundles. */
export function buildVendor(folder?: string): Promise<string[]>;
