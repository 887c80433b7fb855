/** Say what failed: anything can be thrown, and only an `Error` has a message. */

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
