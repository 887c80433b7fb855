// Make one call with cloudflare-typescript: standard input names it, its result is printed as JSON.

import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(new URL("../../tools/clients/", import.meta.url));
const { default: Cloudflare } = require("cloudflare");

const asked = JSON.parse(await text(process.stdin));
const client = new Cloudflare({
  baseURL: asked.baseURL,
  apiToken: asked.apiToken,
  maxRetries: 0,
});
const names = asked.call.split(".");
const verb = names.pop();
const resource = names.reduce((parent, name) => parent[name], client);
try {
  const answer = await resource[verb](...asked.arguments);
  process.stdout.write(JSON.stringify(await listAll(answer)) ?? "");
} catch (error) {
  process.stderr.write(`${error.constructor.name}: ${error.message}\n`);
  process.exitCode = 1;
}

// Every item of a page and of those after it, or the answer itself.
async function listAll(answer) {
  if (typeof answer?.getPaginatedItems !== "function") {
    return typeof answer?.text === "function" ? await answer.text() : answer;
  }
  const items = [];
  for await (const item of answer) {
    items.push(item);
  }
  return items;
}
