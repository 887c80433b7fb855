// The same service with a counted D1 binding: each response has a header with its D1 usage.
// Only for counting; speed is measured with the plain service.
import service from './service.js';

export { WorkflowTracker } from './service.js';

export default {
  async fetch(request, env, ctx) {
    const usage = { round_trips: 0, statements: 0, rows_read: 0, rows_written: 0 };
    const response = await service.fetch(request, { ...env, DB: countUsage(env.DB, usage) }, ctx);
    if (response.status === 101) return response;
    const answer = new Response(response.body, response);
    answer.headers.set('X-Bench-D1', JSON.stringify(usage));
    return answer;
  },
};

/**
 * @param {D1Database} db
 * @param {Record<string, number>} usage is added to
 */
function countUsage(db, usage) {
  const note = (results) => {
    usage.round_trips += 1;
    usage.statements += results.length;
    for (const { meta } of results) {
      usage.rows_read += meta.rows_read ?? 0;
      usage.rows_written += meta.rows_written ?? 0;
    }
    return results;
  };
  const wrap = (statement) => {
    const all = async () => note([await statement.all()])[0];
    return {
      statement,
      bind: (...values) => wrap(statement.bind(...values)),
      all,
      run: all,
      first: async (column) => {
        const [row = null] = (await all()).results;
        return column === undefined || row === null ? row : row[column];
      },
    };
  };
  return {
    prepare: (sql) => wrap(db.prepare(sql)),
    batch: async (list) => note(await db.batch(list.map(({ statement }) => statement))),
  };
}
