/** Identity fields that are secrets between device and cloud. */
const SECRETS = ["deviceSecret", "username", "password"] as const;
/** Shorter ones would blot out innocent text. */
const SHORTEST = 4;

/** Takes what must not be shown out of a text: a device's own secrets and the signatures of URLs. */
export function redactor(identity: Readonly<Record<string, unknown>> | undefined): (text: string) => string {
  const secrets = SECRETS.map((key) => identity?.[key]).filter(
    (value): value is string => typeof value === "string" && value.length >= SHORTEST,
  );
  return (text) => {
    const unsigned = text.replace(/([?&]sign=)[^"&\s\\]+/g, "$1…");
    return secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), unsigned);
  };
}
