/** The chip's way into a Wi-Fi network, over a radio that gets in at the third attempt. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { BringUp } from "../../hal/esp32/network/bring-up";

export interface WiFiNetwork {
  readonly bringUp: BringUp;
  /** Passwords that the radio was given. */
  readonly given: readonly string[];
}

/** The first attempt fails as the SDK's module does, the second as a wrong password does. */
const RADIO = `
  export const given = [];
  export default class {
    connection = 200;
    attempts = 0;
    constructor({ onChanged }) {
      this.changed = onChanged;
    }
    connect({ password }) {
      given.push(password);
      if (++this.attempts === 1) throw new Error("connect failed");
      if (this.attempts > 2) this.connection = 500;
      this.changed();
    }
    disconnect() {}
  }`;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "embedded:network/interface/wifi";

/** hal/esp32/network/wifi.ts. */
export async function wifiNetwork(): Promise<WiFiNetwork> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { bringUp } from "./hal/esp32/network/wifi"; export { given } from "${NAME}";`,
      resolveDir: ROOT,
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    alias: { "xs-ota": ROOT },
    plugins: [
      {
        name: "radio",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^embedded:/ }, ({ path }) => ({ path, namespace: "radio" }));
          onLoad({ filter: /./, namespace: "radio" }, () => ({ contents: RADIO }));
        },
      },
    ],
  });
  const module = Buffer.from(outputFiles[0]!.contents).toString("base64");
  return (await import(`data:text/javascript;base64,${module}`)) as WiFiNetwork;
}
