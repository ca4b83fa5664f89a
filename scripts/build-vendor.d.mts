import type { Plugin } from "esbuild";

/** Replaces each text that occurs exactly once; anything else is an error that names the file and the text. */
export function change(file: string, source: string, changes: readonly (readonly [published: string, instead: string])[]): string;

/** Stand-ins for what mqtt-packet requires, as an esbuild `alias`: small modules that run on XS. */
export function vendorAliases(): { [name: string]: string };

/** esbuild plugin: the changed packages and the stand-ins, for any bundle that is to run on XS. */
export function vendorPlugin(): Plugin;

/** Writes both bundles and their declarations into `folder` (default: build/vendor); returns the paths of the bundles. */
export function buildVendor(folder?: string): Promise<string[]>;
