import { defaultBroker } from "../../../src/platforms/tencent/dialect";
import type { JsonFields } from "./json-fields";
import type { PemFiles } from "./pem-files";
import type { PlatformFields } from "./platform-fields";

/** The keys of the vendor's device_info.json. */
export function tencentFields(fields: JsonFields, files: PemFiles): PlatformFields {
  const productId = fields.required("productId");
  const deviceName = fields.required("deviceName");
  const authMode = fields.oneOf("auth_mode", ["KEY", "CERT"]);
  if (authMode === undefined) throw fields.error("auth_mode", "is missing");
  const key = fields.object("key_deviceinfo");
  const certificate = fields.object("cert_deviceinfo");
  const broker = defaultBroker(productId);
  const hmac = fields.oneOf("hmac", ["SHA256", "SHA1"]);
  const common = { kind: "tencent", productId, deviceName, authMode, ...(hmac === undefined ? {} : { hmac }) } as const;
  // The vendor's template holds both objects; only the one that auth_mode names is looked at.
  const [secret, certificateFile, keyFile] = [
    key?.string("deviceSecret"),
    certificate?.string("devCertFile"),
    certificate?.string("devPrivateKeyFile"),
  ];
  if (authMode === "KEY") {
    if (!secret) throw fields.error("key_deviceinfo.deviceSecret", "is missing");
    return { platform: { ...common, deviceSecret: secret }, broker, secret: true };
  }
  if (certificate === undefined || !certificateFile) throw fields.error("cert_deviceinfo.devCertFile", "is missing");
  if (!keyFile) throw fields.error("cert_deviceinfo.devPrivateKeyFile", "is missing");
  const credentials = {
    certificate: files.certificates(certificate, "devCertFile")!,
    privateKey: files.privateKey(certificate, "devPrivateKeyFile")!,
  };
  return { platform: common, broker, credentials, secret: false };
}
