/** Count what a request costs in the database, for services with `debug`. */

/** @typedef {{statements: number, rows_read: number, rows_written: number}} Cost */

/**
 * @param {D1Database} db
 * @returns {{db: D1Database, cost: Cost}} the same database, and the cost of its batches so far
 */
export function metered(db) {
  const cost = { statements: 0, rows_read: 0, rows_written: 0 };
  /** @type {D1Database['batch']} */
  const batch = async (statements) => {
    const results = await db.batch(statements);
    cost.statements += statements.length;
    for (const { meta } of results) {
      cost.rows_read += meta.rows_read;
      cost.rows_written += meta.rows_written;
    }
    return /** @type {any} */ (results);
  };
  const counting = { prepare: (/** @type {string} */ sql) => db.prepare(sql), batch };
  return { db: /** @type {D1Database} */ (counting), cost };
}

/** @param {Cost} cost */
export const costText = ({ statements, rows_read, rows_written }) =>
  `statements=${statements} rows_read=${rows_read} rows_written=${rows_written}`;
