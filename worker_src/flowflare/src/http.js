/** Read JSON requests within limits, and answer with JSON. */

import { Problem } from './problem.js';

export const MAX_BODY_BYTES = 1024 * 1024;
const MAX_JSON_DEPTH = 64;

/**
 * @param {unknown} body
 * @param {number} [status]
 * @param {Record<string, string>} [headers]
 */
export const json = (body, status = 200, headers = {}) => Response.json(body, { status, headers });

/** @param {Request} request */
export const isUpgrade = (request) => request.headers.get('Upgrade')?.toLowerCase() === 'websocket';

/**
 * @param {Request} request
 * @returns {Promise<unknown>} the parsed body
 * @throws {Problem} 415, 413 or 400
 */
export async function readJson(request) {
  const type = request.headers.get('Content-Type') ?? '';
  // Browsers send text/plain across origins without a preflight, but not application/json.
  if (type.split(';')[0].trim().toLowerCase() !== 'application/json') {
    throw new Problem(415, 'Content-Type must be application/json');
  }
  const bytes = await readBytes(request);
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, 'The body is not UTF-8');
  }
}

/**
 * @param {string} text
 * @returns {unknown}
 * @throws {Problem} 400
 */
export function parseJson(text) {
  if (depth(text) > MAX_JSON_DEPTH) {
    throw new Problem(400, `The JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'The body is not JSON');
  }
}

/** @param {Request} request */
async function readBytes(request) {
  const tooLarge = () => new Problem(413, `The body is larger than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers.get('Content-Length')) > MAX_BODY_BYTES) throw tooLarge();
  /** @type {Uint8Array[]} */
  const chunks = [];
  let size = 0;
  // A body without Content-Length is counted while it arrives.
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/**
 * Return how deep brackets nest outside strings. Walking or printing JSON that is too deep would
 * exhaust the stack.
 * @param {string} text
 */
function depth(text) {
  let level = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++level);
    else if (character === ']' || character === '}') level--;
  }
  return deepest;
}
