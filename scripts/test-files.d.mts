export const ROOT: string;
export const LANES: number;
export const total: number;
export const unitTotal: number;
export const areas: Readonly<Record<string, { readonly seconds: number; readonly unit?: boolean | readonly string[] }>>;
export function testFiles(): string[];
export function areaOf(file: string): string;
export function isUnit(file: string): boolean;
