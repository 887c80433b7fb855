/** The live feed: a Durable Object that holds the watchers' sockets and tells them what is stored. */
import { DurableObject } from 'cloudflare:workers';
export type FeedEvent = import('./feed.js').FeedEvent;
export type Numbered = import('./event-log.js').Numbered;
export type Filters = import('./watch-filters.js').Filters;
export type Identity = import('./watch-filters.js').Identity;
export type TrackerEnv = {
    DB: D1Database;
};
/** @extends {DurableObject<TrackerEnv>} */
export declare class WorkflowTracker extends DurableObject<TrackerEnv> {
    #private;
    /**
     * @param {DurableObjectState} ctx
     * @param {TrackerEnv} env
     */
    constructor(ctx: DurableObjectState, env: TrackerEnv);
    /**
     * Connects a watcher, whom the service has let in, and sends the latest runs or what it has missed.
     * @param {Request} request the WebSocket upgrade; its address says what to watch
     */
    fetch(request: Request): Promise<Response>;
    /**
     * Applies an update for a Worker that has no other way to the service than this object.
     * @param {string} body the JSON that /api/workflows/update takes
     * @returns {Promise<{status: number, text: string}>} what /api/workflows/update would answer
     */
    update(body: string): Promise<{
        status: number;
        text: string;
    }>;
    /**
     * Queues events for all watchers.
     * @param {FeedEvent[]} events
     */
    publish(events: FeedEvent[]): void;
    /**
     * @param {WebSocket} socket
     * @param {string | ArrayBuffer} message
     */
    webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void>;
    /**
     * Completes the closing handshake; without an answer the watcher would wait for one, and report 1006.
     * @param {WebSocket} socket
     * @param {number} code
     * @param {string} reason
     */
    webSocketClose(socket: WebSocket, code: number, reason: string): void;
}
