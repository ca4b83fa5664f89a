/**
 * "xs-ota/thingsboard" in a Moddable app. A module of its own, because XS resolves relative imports against a module's
 * name.
 */
export * from "xs-ota/src/platforms/thingsboard/dialect";
