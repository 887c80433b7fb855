// Runs the service and its clients in workerd: prints the Workers' URLs as one line of JSON, then carries
// out commands, one line of JSON each, until stdin closes.
import { createInterface } from 'node:readline';
import { readMigrations } from './migrations.mjs';
import { start } from './start.mjs';
import { workers } from './workers.mjs';

const scripts = await workers();
const miniflare = await start(scripts);

for (const name of ['service', 'retaining']) {
  const database = await miniflare.getD1Database('DB', name);
  await database.batch(readMigrations().map((statement) => database.prepare(statement)));
}

const urls = {};
for (const { name } of scripts) urls[name] = (await miniflare.unsafeGetDirectURL(name)).origin;
console.log(JSON.stringify(urls));

for await (const line of createInterface({ input: process.stdin })) {
  const { evict, schedule } = JSON.parse(line);
  if (schedule) {
    const worker = await miniflare.getWorker(schedule);
    const { outcome } = await worker.scheduled();
    console.log(JSON.stringify({ outcome }));
    continue;
  }
  // What happens to an idle object by itself, after ten seconds: its memory goes and its sockets stay.
  try {
    await miniflare.unsafeEvictDurableObject('service', 'WorkflowTracker', {
      name: evict,
      webSockets: 'hibernate',
    });
  } catch (error) {
    // Nothing has woken it since the last time.
    if (!String(error).includes('not currently running')) throw error;
  }
  console.log('{}');
}
await miniflare.dispose();
