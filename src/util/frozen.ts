/**
 * Freezes a table and the tables in it. A preloaded object that is not frozen costs a chip RAM: XS keeps an alias for
 * each (docs/MODDABLE.md).
 */
export const frozen = <const T extends object>(table: T): T => {
  for (const value of Object.values(table)) if (typeof value === "object" && value !== null) frozen(value as object);
  return Object.freeze(table);
};
