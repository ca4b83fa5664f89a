/**
 * The checks of ECDSA P-256 that the SDK's verification leaves out: r and s in range, the public point on the curve
 * (FIPS 186-5, sections 6.4.2 and D.1.2; SEC 1, section 3.2.2). The verification itself is the port's, native where the
 * engine has one.
 */

/** Field prime, order of the base point and coefficient b of P-256 (SP 800-186, section 3.2.1.3). a is p - 3. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Bytes of a coordinate, of r and of s. */
export const SCALAR = 32;
/** 0x04, X, Y (SEC 1, section 2.3.3, uncompressed). */
export const POINT = 1 + 2 * SCALAR;

export const toInteger = (bytes: Uint8Array): bigint => {
  let value = 0n;
  bytes.forEach((byte) => (value = (value << 8n) | BigInt(byte)));
  return value;
};

/** 0 < value < n. */
export const isScalar = (bytes: Uint8Array): boolean => {
  const value = toInteger(bytes);
  return bytes.length === SCALAR && value > 0n && value < N;
};

/** An uncompressed point that satisfies y^2 = x^3 - 3x + b. */
export const isPoint = (bytes: Uint8Array): boolean => {
  if (bytes.length !== POINT || bytes[0] !== 4) return false;
  const x = toInteger(bytes.subarray(1, 1 + SCALAR));
  const y = toInteger(bytes.subarray(1 + SCALAR));
  return x < P && y < P && (y * y - (x * x * x - 3n * x + B)) % P === 0n;
};
