/** A setting that can not be: where it came from, and why. Its value is never told. */
export class BadSetting extends Error {}
