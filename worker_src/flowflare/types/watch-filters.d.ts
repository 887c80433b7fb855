/** Filter the events that a watcher receives: those of one run, one type, one reference, or all. */
export type FeedEvent = import('./feed.js').FeedEvent;
export type Row = Record<string, unknown>;
export type Filters = {
    workflowId?: string;
    workflowType?: string;
    ref_id?: string;
    ref_type?: string;
};
export type Identity = {
    id: string;
    workflow_name: string;
    ref_id: string | null;
    ref_type: string | null;
};
/**
 * @param {unknown} params
 * @param {string} [path] the filters' path in the request
 * @returns {Filters} only the given fields
 * @throws {Problem} 400 with the invalid fields: unknown names and empty values would match too
 *   much
 */
export declare const readFilters: (params: unknown, path?: string) => Filters;
/**
 * @param {unknown} params
 * @returns {number | null} the number of the last event that the watcher has received
 * @throws {Problem} 400
 */
export declare const readSince: (params: unknown) => number | null;
/**
 * @param {unknown} message from a watcher, with the new filters in `params`
 * @returns {{filters: Filters, since: number | null}}
 * @throws {Problem} 400
 */
export declare function readSubscription(message: unknown): {
    filters: Filters;
    since: number | null;
};
/**
 * Read filters and `since` from a WebSocket's address.
 * @param {URLSearchParams} query
 * @throws {Problem} 400
 */
export declare function readWatch(query: URLSearchParams): {
    filters: Filters;
    since: number | null;
};
/**
 * @param {Filters} filters
 * @param {Filters} bound the ticket's filters, which always apply
 * @returns {Filters} both
 * @throws {Problem} 403 if the filters contradict the ticket
 */
export declare function within(filters: Filters, bound: Filters): Filters;
/** @param {Filters} filters whether they need more of an event's run than its ID */
export declare const needsIdentity: ({ workflowType, ref_id, ref_type }: Filters) => boolean;
/** @param {FeedEvent} event */
export declare function runOf(event: FeedEvent): string;
/**
 * @param {Filters} filters
 * @param {Identity | Row | undefined} run if undefined, only filters without run properties match
 * @param {string} id of the run
 */
export declare function matches(filters: Filters, run: Identity | Row | undefined, id: string): boolean;
