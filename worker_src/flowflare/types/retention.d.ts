/** Deletes runs that ended long ago, with all that belongs to them, a bounded number at a time. */
export type Retention = {
    /**
     * how long runs are kept after they ended; without it, for ever
     */
    days?: number;
    /**
     * days for single statuses;
     * also for Running and Sleeping, which are counted from their last event
     */
    byStatus?: Partial<Record<import('./statuses.js').RunStatus, number>>;
};
/**
 * Deletes what has expired, children first; workflows go with the last of their runs.
 * @param {D1Database} db
 * @param {Retention | undefined} retention
 * @param {number} [now] milliseconds since 1970
 * @returns {Promise<{runs: number, more: boolean}>} how many runs are gone, and whether some are left for the next call
 */
export declare function deleteExpired(db: D1Database, retention: Retention | undefined, now?: number): Promise<{
    runs: number;
    more: boolean;
}>;
