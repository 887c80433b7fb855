/** Run ids: ordered by time when they are new, and derived from an idempotency key when there is one. */

/** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} bytes */
export const hex = (bytes) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * @param {string} text
 * @returns {Promise<ArrayBuffer>} its SHA-256
 */
export const sha256 = (text) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));

/**
 * @param {Uint8Array<ArrayBuffer>} bytes at least 16
 * @param {number} version
 */
function uuid(bytes, version) {
  bytes[6] = (bytes[6] & 0x0f) | (version << 4);
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hex(bytes.slice(0, 16)).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * A UUIDv7 (RFC 9562): sorts by the millisecond it was made in.
 * @param {number} [now] milliseconds since 1970
 */
export function newRunId(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(
    0,
    (BigInt(now) << 16n) | BigInt((bytes[6] << 8) | bytes[7]),
  );
  return uuid(bytes, 7);
}

/**
 * The id of the run that this key starts: the same key always means the same run, which makes the
 * primary key the only guard that is needed against starting it twice.
 * @param {string} idempotencyKey
 */
export async function runIdForKey(idempotencyKey) {
  return uuid(new Uint8Array(await sha256(`flowflare:${idempotencyKey}`)), 8);
}
