/** Create run IDs: new ones sort by time, others are derived from an idempotency key. */

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
 * Create a UUIDv7 (RFC 9562), which sorts by the millisecond of its creation.
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
 * Derive the ID of the run that a key starts. The same key always gives the same run, so the
 * primary key alone prevents a second start.
 * @param {string} idempotencyKey
 */
export async function runIdForKey(idempotencyKey) {
  return uuid(new Uint8Array(await sha256(`flowflare:${idempotencyKey}`)), 8);
}
