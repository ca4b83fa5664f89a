export function buildEdition(commit: string): Promise<string>;
export function hasCommit(commit: string): boolean;
