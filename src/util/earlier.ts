/**
 * The earlier of two times, either of which may be missing. It is called after every event, so it makes no array: on XS
 * an array costs as much as the comparison.
 */
export const earlier = (one: number | undefined, other: number | undefined): number | undefined => {
  if (one === undefined) return other;
  return other === undefined || one <= other ? one : other;
};
