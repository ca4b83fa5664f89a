export { Resolver as default } from "./dns";
