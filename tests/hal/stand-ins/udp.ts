export { UDP as default } from "./dns";
