/** Whether `bytes` begin with `prefix`. */
export const startsWith = (bytes: Uint8Array, prefix: ArrayLike<number>): boolean => {
  for (let at = 0; at < prefix.length; at++) if (bytes[at] !== prefix[at]) return false;
  return true;
};
