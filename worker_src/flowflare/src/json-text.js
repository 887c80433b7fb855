/** Write any value as JSON text, to record what a user's code returned or threw. */

/**
 * Never throws: cycles, BigInts, throwing getters and oversized values are replaced by a marker.
 * @param {unknown} value
 * @param {number} [maxBytes] a larger value is replaced by a marker with its size
 */
export function jsonText(value, maxBytes = Infinity) {
  const text = stringify(value);
  // A UTF-16 code unit takes at most 3 bytes, so most texts need not be counted.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = new TextEncoder().encode(text).length;
  return bytes <= maxBytes ? text : JSON.stringify({ __truncated: true, bytes });
}

/** @param {unknown} value */
function stringify(value) {
  try {
    return JSON.stringify(value, replacer()) ?? 'null';
  } catch {
    return '{"__unserializable":true}';
  }
}

/**
 * Create a JSON.stringify replacer that tracks one path of ancestors, so that only true cycles are
 * cut.
 */
function replacer() {
  /** @type {unknown[]} */
  const ancestors = [];
  /** @type {(this: unknown, key: string, value: unknown) => unknown} */
  return function (_key, value) {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object' || value === null) return value;
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return '[Circular]';
    ancestors.push(value);
    return value instanceof Error ? { name: value.name, message: value.message } : value;
  };
}
