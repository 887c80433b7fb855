/** Readers of untrusted input: each takes a value and returns what it means, or throws what is wrong. */

import { jsonText } from './json-text.js';
import { Problem } from './problem.js';

class Invalid extends Error {}

/**
 * Reads the named fields and reports every fault at once.
 * @template {Record<string, (value: unknown) => unknown>} R
 * @param {unknown} input
 * @param {R} readers
 * @param {string} [path] where the input stands in the request
 * @returns {{[K in keyof R]: ReturnType<R[K]>}}
 */
export function readFields(input, readers, path = '') {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalid([{ path, message: `${path || 'the body'} must be an object` }]);
  }
  const given = /** @type {Record<string, unknown>} */ (input);
  /** @type {{path: string, message: string}[]} */
  const errors = [];
  /** @type {Record<string, unknown>} */
  const values = {};
  for (const [name, read] of Object.entries(readers)) {
    try {
      values[name] = read(Object.hasOwn(given, name) ? given[name] : undefined);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      const field = path ? `${path}.${name}` : name;
      errors.push({ path: field, message: `${field} ${error.message}` });
    }
  }
  if (errors.length > 0) throw invalid(errors);
  return /** @type {{[K in keyof R]: ReturnType<R[K]>}} */ (values);
}

/** @param {{path: string, message: string}[]} errors */
export const invalid = (errors) =>
  new Problem(400, errors.map((error) => error.message).join('; '), { errors });

/** @param {unknown} value */
const isAbsent = (value) => value === undefined || value === null || value === '';

/**
 * Absent, null and '' read as null.
 * @template T
 * @param {(value: unknown) => T} read
 * @returns {(value: unknown) => T | null}
 */
export const optional = (read) => (value) => (isAbsent(value) ? null : read(value));

/**
 * @template T
 * @param {(value: unknown) => T} read
 * @returns {(value: unknown) => T}
 */
export const required = (read) => (value) => {
  if (isAbsent(value)) throw new Invalid('is required');
  return read(value);
};

/**
 * @param {RegExp} pattern
 * @param {string} description completes "must be ..."
 * @returns {(value: unknown) => string}
 */
const matching = (pattern, description) => (value) => {
  // Numbers are welcome as references and ids: an order's id often is one.
  const text = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || !pattern.test(text)) throw new Invalid(`must be ${description}`);
  return text;
};

// developers.cloudflare.com/workflows/reference/limits: instance ids.
export const runId = matching(
  /^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/,
  'a run id: 1 to 100 of A-Z a-z 0-9 _ -',
);
export const workflowName = matching(/^[\w.:-]{1,64}$/, 'a name: 1 to 64 of A-Z a-z 0-9 _ . : -');
export const label = matching(/^\P{Cc}{1,256}$/u, '1 to 256 characters without control characters');
export const text = matching(/^[\s\S]*$/, 'a string');

/** @param {unknown} value an object, kept as it is */
export const plainObject = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Invalid('must be an object');
  }
  return /** @type {Record<string, unknown>} */ (value);
};

/** @param {unknown} value */
export const flag = (value) => {
  if (typeof value !== 'boolean') throw new Invalid('must be true or false');
  return value;
};

/**
 * @param {number} low
 * @param {number} high
 * @returns {(value: unknown) => number}
 */
export const integer = (low, high) => (value) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    throw new Invalid(`must be a whole number from ${low} to ${high}`);
  }
  return value;
};

/**
 * @template {string} T
 * @param {readonly T[]} choices
 * @returns {(value: unknown) => T}
 */
export const oneOf = (choices) => (value) => {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new Invalid(`must be one of ${choices.join(', ')}`);
  return choice;
};

/**
 * @template {string} T
 * @param {readonly T[]} choices
 * @returns {(value: unknown) => T[]}
 */
export const someOf = (choices) => (value) => {
  if (!Array.isArray(value)) throw new Invalid(`must be a list of ${choices.join(', ')}`);
  return value.map(oneOf(choices));
};

/**
 * A time as ISO text or milliseconds; read as ISO text in UTC with milliseconds.
 * @param {unknown} value
 */
export const time = (value) => {
  const date = new Date(
    typeof value === 'number' || typeof value === 'string' ? value : Number.NaN,
  );
  // Years outside 0000 to 9999 have another width, and would not sort as text.
  if (!(Math.abs(date.getTime()) < 253402300800000) || date.getUTCFullYear() < 0) {
    throw new Invalid('must be a time such as 2026-11-23T14:36:00.000Z');
  }
  return date.toISOString();
};

/**
 * A column of JSON text: a string stays as it is, anything else becomes JSON.
 * @param {number} maxBytes
 * @param {'refuse' | 'truncate'} [oversize]
 * @returns {(value: unknown) => string}
 */
export const jsonColumn =
  (maxBytes, oversize = 'refuse') =>
  (value) => {
    const json = typeof value === 'string' ? value : JSON.stringify(value);
    if (json.length * 3 <= maxBytes) return json;
    const bytes = new TextEncoder().encode(json).length;
    if (bytes <= maxBytes) return json;
    if (oversize === 'truncate') return jsonText({ __truncated: true, bytes });
    throw new Invalid(`must not take more than ${maxBytes} bytes`);
  };

/**
 * @param {number} maxLength
 * @returns {(value: unknown) => string}
 */
export const shortened = (maxLength) => (value) => {
  const long = typeof value === 'string' ? value : JSON.stringify(value);
  return long.length <= maxLength ? long : `${long.slice(0, maxLength - 1)}…`;
};
