/** Read the durations that Workflows accept: 500, or '5 seconds'. */

/** @type {Record<string, number>} milliseconds */
const UNITS = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
  year: 365 * 86_400_000,
};

/**
 * @param {string | number} duration such as 500 or '5 seconds'
 * @returns {number} milliseconds; NaN if it is neither
 */
export function milliseconds(duration) {
  const [, count, unit] = /^\s*([\d.]+)\s*([a-z]+?)s?\s*$/i.exec(String(duration)) ?? [];
  return unit === undefined ? Number(duration) : Number(count) * (UNITS[unit.toLowerCase()] ?? 0);
}
