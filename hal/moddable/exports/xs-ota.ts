/**
 * "xs-ota", the library's name in a Moddable app. A module of its own, since relative imports can not start from that
 * name.
 */
export * from "xs-ota/src/index";
export { default } from "xs-ota/src/index";
