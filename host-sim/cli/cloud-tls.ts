import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileReason } from "../board/config/file-errors";
import { readText } from "../board/config/text-file";
import { lockFolder } from "../board/folder-lock";
import { Authority, type Credentials } from "../cloud/core/listeners/certificates";
import { day, daysLeft } from "../cloud/core/listeners/expiry";
import { clientIdOf, type TencentDevice } from "../cloud/core/platforms/tencent/access";
import { writeSecret, writeWhole } from "./whole-file";

/** The root that devices must trust. */
export const ROOT_FILE = "root.pem";
const KEY_FILE = "root.key.pem";

/** Days before its end at which our own root is renewed: devices have that long to get the new one. */
const ROOT_RENEWAL_DAYS = 180;

/**
 * The certificate authority kept in a folder; made there the first time, and renewed in the last half year before its
 * end, of which `say` hears. Rejects with one line.
 */
export async function keptAuthority(folder: string, say: (line: string) => void): Promise<Authority> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new Error(`${folder} can not be a folder for certificates: ${fileReason(error)}`, { cause: error });
  }
  // Two of us must not make two authorities.
  const release = await lockFolder(folder);
  try {
    return await renewed(await loadOrMake(folder), join(folder, ROOT_FILE), say);
  } finally {
    release();
  }
}

async function renewed(authority: Authority, root: string, say: (line: string) => void): Promise<Authority> {
  const left = daysLeft(authority.root, Date.now());
  if (left > ROOT_RENEWAL_DAYS) return authority;
  const end = day(Date.now() + left * 86_400_000);
  const next = await authority.renewed();
  writeWhole(root, Buffer.from(next.root));
  say(
    `warning: ${root} ${left > 0 ? `ends on ${end}` : `expired on ${end}`} and was renewed with the same key: ` +
      `give devices the new file${left > 0 ? " until then" : ", without which they do not get in"}`,
  );
  return next;
}

async function loadOrMake(folder: string): Promise<Authority> {
  const root = join(folder, ROOT_FILE);
  const key = join(folder, KEY_FILE);
  const [rootPem, keyPem] = [existing(root), existing(key)];
  if (rootPem === undefined && keyPem === undefined) {
    const authority = await Authority.create("rsa");
    writeSecret(key, authority.keyPem);
    try {
      writeWhole(root, Buffer.from(authority.root));
    } catch (error) {
      // One without the other would be no authority.
      rmSync(key, { force: true });
      throw error;
    }
    return authority;
  }
  if (rootPem === undefined || keyPem === undefined) {
    throw new Error(`${folder}: ${ROOT_FILE} and ${KEY_FILE} belong together, and one is missing`);
  }
  try {
    return await Authority.load(rootPem, keyPem);
  } catch (error) {
    throw new Error(`${folder}: ${ROOT_FILE} and ${KEY_FILE} are no certificate authority`, { cause: error });
  }
}

/** Reads a certificate from elsewhere with its key. `rootFile`: the root that devices trust. Throws one line. */
export function givenCertificate(
  certificateFile: string,
  keyFile: string,
  rootFile: string | undefined,
): Credentials & { root: string } {
  const certificate = certificateIn(certificateFile);
  const root = rootFile === undefined ? certificate : certificateIn(rootFile);
  const key = readText(keyFile);
  const privateKey = parsed(() => createPrivateKey(key), `${keyFile} is no private key in PEM`);
  if (!new X509Certificate(certificate).checkPrivateKey(privateKey))
    throw new Error(`${keyFile} is not the key of ${certificateFile}`);
  return { certificate, key, root };
}

function certificateIn(path: string): string {
  const pem = readText(path);
  parsed(() => new X509Certificate(pem), `${path} is no certificate in PEM`);
  return pem;
}

function parsed<T>(work: () => T, otherwise: string): T {
  try {
    return work();
  } catch (error) {
    throw new Error(otherwise, { cause: error });
  }
}

/** Writes certificate and key of a device. Returns the entry of the vendor's device_info.json that names the files. */
export async function writeClientCertificate(
  folder: string,
  authority: Authority,
  device: TencentDevice,
): Promise<{ devCertFile: string; devPrivateKeyFile: string }> {
  const { key, certificate } = await authority.client(clientIdOf(device));
  const devCertFile = resolve(folder, `${device.deviceName}.crt.pem`);
  const devPrivateKeyFile = resolve(folder, `${device.deviceName}.key.pem`);
  await writeFile(devPrivateKeyFile, key, { mode: 0o600 });
  writeWhole(devCertFile, Buffer.from(certificate));
  return { devCertFile, devPrivateKeyFile };
}

function existing(path: string): string | undefined {
  return existsSync(path) ? readText(path) : undefined;
}
