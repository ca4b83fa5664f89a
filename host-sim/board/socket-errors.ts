import { isIP } from "node:net";
import type { SocketError, SocketErrorKind } from "../../src/ports";

/**
 * What OpenSSL's chain verification answers (X509_verify_cert_error_string's names, as Node's `error.code`) and Node's
 * own check of the name.
 */
const CERTIFICATE_CODES = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_TLS_CERT_ALTNAME_FORMAT",
]);

const KINDS: Readonly<Record<string, SocketErrorKind>> = {
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  EAI_FAIL: "dns",
  EAI_NODATA: "dns",
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "reset",
  EPROTO: "tls",
};

/** A Node socket's error in the words of the port. */
export function socketError(error: Error): SocketError {
  // A name with several addresses that all fail gives an AggregateError without a message of its own.
  const cause = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const { code = "", hostname } = cause as NodeJS.ErrnoException & { hostname?: string };
  const kind = kindOf(code);
  if (kind === "dns" && hostname !== undefined) return { kind, message: `DNS: ${hostname} not found` };
  return {
    kind,
    message: (opensslReason(cause.message) ?? (cause.message || code || "unknown error")).split("\n", 1)[0]!,
  };
}

/**
 * OpenSSL's line is "thread:error:number:SSL routines:function:reason:file:line:": the reason is what says something.
 */
function opensslReason(message: string): string | undefined {
  const reason = /:error:[0-9A-F]+:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1];
  return reason === undefined ? undefined : `TLS: ${reason}`;
}

function kindOf(code: string): SocketErrorKind {
  if (CERTIFICATE_CODES.has(code)) return "certificate";
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) return "tls";
  return KINDS[code] ?? "other";
}

/** A literal IPv4 or IPv6 address, not a name. */
export const isIpLiteral = (host: string): boolean => isIP(host) !== 0;
