/** Every path of the API lies below it. */
export const API_ROOT = "/cloud/v1";
