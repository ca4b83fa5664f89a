/** `npm run powercut`. */
import { createProgram } from "./program";

await createProgram().parseAsync();
