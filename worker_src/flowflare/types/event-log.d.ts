/** The feed's memory: its last events, numbered, kept in the Durable Object so that watchers can resume. */
export type FeedEvent = import('./feed.js').FeedEvent;
export type Numbered = {
    seq: number;
    event: FeedEvent;
};
export type Chunk = {
    first: number;
    seq: number;
    size: number;
    events: string;
};
export declare class EventLog {
    #private;
    /**
     * @param {DurableObjectStorage} storage
     * @param {number} seq
     */
    constructor(storage: DurableObjectStorage, seq: number);
    /** @param {DurableObjectStorage} storage */
    static open(storage: DurableObjectStorage): Promise<EventLog>;
    /** The number of the last event; it outlives the object, so that no number is given twice. */
    get seq(): number;
    /**
     * Numbers events and keeps them. Not awaited: the runtime holds back what the object sends until all is stored.
     * @param {FeedEvent[]} events
     * @returns {Numbered[]}
     */
    append(events: FeedEvent[]): Numbered[];
    /**
     * @param {number} seq the last number that a watcher has seen
     * @returns {Numbered[] | null} what came after it; null if that is no longer, or not all, known
     */
    after(seq: number): Numbered[] | null;
}
/**
 * Cuts events into batches that make frames of a fair size.
 * @param {Numbered[]} numbered
 * @returns {Numbered[][]}
 */
export declare function batchesOf(numbered: Numbered[]): Numbered[][];
