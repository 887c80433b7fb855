/**
 * Delete runs that ended long ago, with everything that belongs to them, a bounded number at a
 * time.
 */
export type Retention = {
    /**
     * how long runs are kept after they ended; without it, forever
     */
    days?: number;
    /**
     * days for single
     * statuses; Running and Sleeping count from their last event
     */
    byStatus?: Partial<Record<import('./statuses.js').RunStatus, number>>;
};
/**
 * Delete expired runs, children first. A workflow is deleted with its last run.
 * @param {D1Database} db
 * @param {Retention | undefined} retention
 * @param {number} [now] milliseconds since 1970
 * @returns {Promise<{runs: number, more: boolean}>} how many runs were deleted, and whether some
 *   are left for the next call
 */
export declare function deleteExpired(db: D1Database, retention: Retention | undefined, now?: number): Promise<{
    runs: number;
    more: boolean;
}>;
