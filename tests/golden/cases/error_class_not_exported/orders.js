import { DurableObject } from 'cloudflare:workers';

export default { fetch: () => new Response('orders') };
