import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Authority, type Credentials } from "../cloud/core/listeners/certificates";
import { clientIdOf, type TencentDevice } from "../cloud/core/platforms/tencent/access";

/** The root that devices must trust. */
export const ROOT_FILE = "root.pem";
const KEY_FILE = "root.key.pem";

/** The certificate authority kept in a folder; made there the first time. Rejects with one line. */
export async function keptAuthority(folder: string): Promise<Authority> {
  const root = join(folder, ROOT_FILE);
  const key = join(folder, KEY_FILE);
  await mkdir(folder, { recursive: true }).catch(() =>
    Promise.reject(new Error(`${folder} can not be a folder for certificates`)),
  );
  const texts = await Promise.all([text(root), text(key)]);
  const [rootPem, keyPem] = texts;
  if (rootPem === undefined && keyPem === undefined) {
    const authority = await Authority.create("rsa");
    await writeFile(key, authority.keyPem, { mode: 0o600 });
    await writeFile(root, authority.root);
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

/** Reads a certificate from elsewhere with its key. `rootFile`: the root that devices trust. Rejects with one line. */
export async function givenCertificate(
  certificateFile: string,
  keyFile: string,
  rootFile: string | undefined,
): Promise<Credentials & { root: string }> {
  const certificate = await certificateIn(certificateFile);
  const root = rootFile === undefined ? certificate : await certificateIn(rootFile);
  const key = await required(keyFile);
  const privateKey = parsed(() => createPrivateKey(key), `${keyFile} is no private key in PEM`);
  if (!new X509Certificate(certificate).checkPrivateKey(privateKey))
    throw new Error(`${keyFile} is not the key of ${certificateFile}`);
  return { certificate, key, root };
}

async function certificateIn(path: string): Promise<string> {
  const pem = await required(path);
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

async function required(path: string): Promise<string> {
  const content = await text(path);
  if (content === undefined) throw new Error(`${path}: there is no such file`);
  return content;
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
  await writeFile(devCertFile, certificate);
  return { devCertFile, devPrivateKeyFile };
}

async function text(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
