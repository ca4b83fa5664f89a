import type { Plugin } from "esbuild";

export function sourceUrls(read?: (file: string) => string): Plugin;
export function bundle(entries: readonly string[], folder: string): Promise<string[]>;
export function bundleCommand(): Promise<void>;
export function bundledCommand(root?: string): string | undefined;
