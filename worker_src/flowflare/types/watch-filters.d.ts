/** Which events a watcher wants: those of one run, one type, one reference, or all. */
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
 * @param {string} [path] where they stand in the request
 * @returns {Filters} without what is not given
 * @throws {Problem} 400 with the fields at fault: an unknown name and an empty value would let more through
 */
export declare const readFilters: (params: unknown, path?: string) => Filters;
/**
 * @param {unknown} params
 * @returns {number | null} the number of the last event that the watcher has seen
 * @throws {Problem} 400
 */
export declare const readSince: (params: unknown) => number | null;
/**
 * @param {unknown} message a watcher's, with what to watch from now on in `params`
 * @returns {{filters: Filters, since: number | null}}
 * @throws {Problem} 400
 */
export declare function readSubscription(message: unknown): {
    filters: Filters;
    since: number | null;
};
/**
 * Filters and `since` from a WebSocket's address.
 * @param {URLSearchParams} query
 * @throws {Problem} 400
 */
export declare function readWatch(query: URLSearchParams): {
    filters: Filters;
    since: number | null;
};
/**
 * @param {Filters} filters
 * @param {Filters} bound what the watcher's ticket is for, and holds in any case
 * @returns {Filters} both
 * @throws {Problem} 403 if the filters reach for something else
 */
export declare function within(filters: Filters, bound: Filters): Filters;
/** @param {Filters} filters whether an event's run has to be known by more than its id */
export declare const needsIdentity: ({ workflowType, ref_id, ref_type }: Filters) => boolean;
/** @param {FeedEvent} event */
export declare function runOf(event: FeedEvent): string;
/**
 * @param {Filters} filters
 * @param {Identity | Row | undefined} run without one, only what is not filtered by it matches
 * @param {string} id the run's
 */
export declare function matches(filters: Filters, run: Identity | Row | undefined, id: string): boolean;
