/**
 * The live feed: a Durable Object that holds the watchers' sockets and sends them what is stored.
 */
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
     * Connect a watcher that the service has authorized, and send the latest runs or the missed
     * events.
     * @param {Request} request the WebSocket upgrade; its address contains the filters
     */
    fetch(request: Request): Promise<Response>;
    /**
     * Apply an update for a Worker whose only binding is this object.
     * @param {string} body the JSON that /api/workflows/update accepts
     * @returns {Promise<{status: number, text: string}>} what /api/workflows/update would answer
     */
    update(body: string): Promise<{
        status: number;
        text: string;
    }>;
    /**
     * Queue events for all watchers.
     * @param {FeedEvent[]} events
     */
    publish(events: FeedEvent[]): void;
    /**
     * @param {WebSocket} socket
     * @param {string | ArrayBuffer} message
     */
    webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void>;
    /**
     * Complete the closing handshake. Without an answer the watcher would wait for it, and report
     * 1006.
     * @param {WebSocket} socket
     * @param {number} code
     * @param {string} reason
     */
    webSocketClose(socket: WebSocket, code: number, reason: string): void;
}
