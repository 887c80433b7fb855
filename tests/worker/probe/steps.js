/** Steps of users' Workflows that are hard to track. */

function circular() {
  const value = { name: 'loop' };
  value.self = value;
  return value;
}

function deep() {
  let value = {};
  for (let level = 0; level < 100_000; level++) value = { value };
  return value;
}

function unreadable() {
  return {
    get secret() {
      throw new Error('not for you');
    },
  };
}

export const STEPS = {
  object: { returns: () => ({ paid: true }) },
  nothing: { returns: () => undefined },
  text: { returns: () => 'hello' },
  bigint: { returns: () => ({ total: 10n }) },
  huge: { returns: () => 'x'.repeat(300 * 1024) },
  circular: { returns: circular },
  deep: { returns: deep },
  unreadable: { returns: unreadable },
  failing: { throws: () => new TypeError('no luck') },
  final: { throws: () => Object.assign(new Error('never'), { name: 'NonRetryableError' }) },
  refusing: { throws: () => Object.assign(new Error('no more'), { nonRetryable: true }) },
  'throwing null': { throws: () => null },
  'throwing text': { throws: () => 'boom' },
  'throwing frozen': { throws: () => Object.freeze(new RangeError('cold')) },
  'throwing unreadable': { throws: () => Object.create(null, { message: { get: unreadable } }) },
};
