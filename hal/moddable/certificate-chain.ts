/** What the TLS session takes of the chain check, which is engine-neutral. */
export { CertificateError, addressBytes, verifyChain } from "../../src/x509/certificate-chain";
