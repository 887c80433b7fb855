/**
 * Readers of untrusted input: each takes a value and returns its meaning, or throws what is wrong.
 */

import { jsonText } from './json-text.js';
import { Problem } from './problem.js';

class Invalid extends Error {}

/**
 * Read the named fields and report all faults at once.
 * @template {Record<string, (value: unknown) => unknown>} R
 * @param {unknown} input
 * @param {R} readers
 * @param {string} [path] the input's path in the request
 * @returns {{[K in keyof R]: ReturnType<R[K]>}}
 */
export function readFields(input, readers, path = '') {
  return read(input, readers, path, () => []);
}

export const EMPTY = 'must not be empty: give it a value, or leave it out';

/**
 * Read a filter that limits what a client may see. A misspelt name or an empty value would silently
 * allow more, so each is a fault.
 * @template {Record<string, (value: unknown) => unknown>} R
 * @param {unknown} input
 * @param {R} readers
 * @param {string} [path] the input's path in the request
 * @returns {{[K in keyof R]: ReturnType<R[K]>}}
 */
export function readGrant(input, readers, path = '') {
  const known = Object.keys(readers);
  return read(input, readers, path, (given) => [
    ...unknownNames(given, known),
    ...known
      .filter((name) => Object.hasOwn(given, name) && isAbsent(given[name]))
      .map((name) => ({ name, message: EMPTY })),
  ]);
}

/**
 * Read the filters of a caller who may see everything: a misspelt name is a fault, since it would
 * find too much, and an empty value does not filter.
 * @template {Record<string, (value: unknown) => unknown>} R
 * @param {unknown} input
 * @param {R} readers
 * @returns {{[K in keyof R]: ReturnType<R[K]>}}
 */
export const readFilterFields = (input, readers) =>
  read(input, readers, '', (given) => unknownNames(given, Object.keys(readers)));

const NAMED_FAULTS = 10;

/**
 * @param {Record<string, unknown>} given
 * @param {string[]} known
 */
const unknownNames = (given, known) =>
  Object.keys(given)
    .filter((name) => !known.includes(name))
    .slice(0, NAMED_FAULTS)
    .map((name) => ({
      name: shownName(name),
      message: `is unknown here; use ${known.join(', ')}`,
    }));

/** @param {string} name invented by the caller, so it is repeated only if it looks like a name */
const shownName = (name) => (/^[\w-]{1,64}$/.test(name) ? name : '(a name that is not shown)');

/**
 * @template {Record<string, (value: unknown) => unknown>} R
 * @param {unknown} input
 * @param {R} readers
 * @param {string} path
 * @param {(given: Record<string, unknown>) => {name: string, message: string}[]} faultsOf finds
 *   what is wrong with the input as a whole
 * @returns {{[K in keyof R]: ReturnType<R[K]>}}
 */
function read(input, readers, path, faultsOf) {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalid([{ path, message: `${path || 'the body'} must be an object` }]);
  }
  const given = /** @type {Record<string, unknown>} */ (input);
  const faults = faultsOf(given);
  const errors = faults.map(({ name, message }) => fault(path, name, message));
  /** @type {Record<string, unknown>} */
  const values = {};
  for (const [name, readValue] of Object.entries(readers)) {
    if (faults.some((known) => known.name === name)) continue;
    try {
      values[name] = readValue(Object.hasOwn(given, name) ? given[name] : undefined);
    } catch (error) {
      if (error instanceof Invalid) errors.push(fault(path, name, error.message));
      // A nested object's faults are named by its own reader.
      else if (error instanceof Problem && error.errors) errors.push(...error.errors);
      else throw error;
    }
  }
  if (errors.length > 0) throw invalid(errors);
  return /** @type {{[K in keyof R]: ReturnType<R[K]>}} */ (values);
}

/**
 * @param {string} path
 * @param {string} name
 * @param {string} message
 */
function fault(path, name, message) {
  const field = path ? `${path}.${name}` : name;
  return { path: field, message: `${field} ${message}` };
}

/** @param {{path: string, message: string}[]} errors */
export const invalid = (errors) =>
  new Problem(400, errors.map((error) => error.message).join('; '), { errors });

/** @param {unknown} value */
const isAbsent = (value) => value === undefined || value === null || value === '';

/**
 * Read absent, null and '' as null.
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
export const matching = (pattern, description) => (value) => {
  // Numbers are accepted as references and IDs, because an order's ID often is a number.
  const text = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || !pattern.test(text)) throw new Invalid(`must be ${description}`);
  return text;
};

// developers.cloudflare.com/workflows/reference/limits: instance IDs.
export const runId = matching(
  /^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/,
  'a run id: 1 to 100 of A-Z a-z 0-9 _ -',
);
export const workflowName = matching(/^[\w.:-]{1,64}$/, 'a name: 1 to 64 of A-Z a-z 0-9 _ . : -');
export const label = matching(/^\P{Cc}{1,256}$/u, '1 to 256 characters without control characters');
export const text = matching(/^[\s\S]*$/, 'a string');

/** @param {unknown} value an object, returned unchanged */
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
 * Read a time, given as ISO text or milliseconds, as ISO text in UTC with milliseconds.
 * @param {unknown} value
 */
export const time = (value) => {
  const date = new Date(
    typeof value === 'number' || typeof value === 'string' ? value : Number.NaN,
  );
  const [, year, month, day] = /^\s*(\d{4})-(\d{2})-(\d{2})/.exec(String(value)) ?? [];
  // JavaScript reads the 30th of February as the 2nd of March.
  if (day !== undefined && new Date(Date.UTC(+year, +month - 1, +day)).getUTCDate() !== +day) {
    throw new Invalid('must be a day of the calendar');
  }
  // Years outside 0000 to 9999 have a different length, and would not sort as text.
  if (!(Math.abs(date.getTime()) < 253402300800000) || date.getUTCFullYear() < 0) {
    throw new Invalid('must be a time such as 2026-11-23T14:36:00.000Z');
  }
  return date.toISOString();
};

/**
 * Read a column of JSON text: a string is stored unchanged, anything else becomes JSON.
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
