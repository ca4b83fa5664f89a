/** esbuild's loader "text". */
declare module "*.csv" {
  const text: string;
  export default text;
}
