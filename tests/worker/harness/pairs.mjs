// Runs services and clients of theirs in workerd from finished modules: takes the Workers as one argument of
// JSON, prints their URLs as one line of JSON, and ends when stdin closes.
//
// Each service has a database of its own, with this release's schema: migrations come before new code.
import { readFileSync } from 'node:fs';
import { readMigrations } from './migrations.mjs';
import { start } from './start.mjs';

const TRACKER = { className: 'WorkflowTracker', useSQLite: true };

/** @type {{name: string, file: string, key: string, of?: string, workflows?: object}[]} */
const given = JSON.parse(process.argv[2]);

const scripts = given.map(({ name, file, key, of, workflows = {} }) => ({
  name,
  compatibilityDate: '2026-11-01',
  modules: [{ type: 'ESModule', path: `${name}.js`, contents: readFileSync(file, 'utf8') }],
  unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  workflows,
  ...(of === undefined
    ? {
        bindings: { SERVICE_API_KEY: key },
        d1Databases: { DB: name },
        durableObjects: { WORKFLOW_TRACKER: TRACKER },
      }
    : {
        bindings: { WORKFLOW_API_KEY: key },
        serviceBindings: { WORKFLOW_SERVICE: of },
        durableObjects: { WORKFLOW_TRACKER: { ...TRACKER, scriptName: of } },
      }),
}));

const miniflare = await start(scripts);
for (const { name, of } of given) {
  if (of !== undefined) continue;
  const database = await miniflare.getD1Database('DB', name);
  await database.batch(readMigrations().map((statement) => database.prepare(statement)));
}
const urls = {};
for (const { name } of given) urls[name] = (await miniflare.unsafeGetDirectURL(name)).origin;
console.log(JSON.stringify(urls));
process.stdin.resume();
await new Promise((closed) => process.stdin.once('end', closed));
await miniflare.dispose();
