/**
 * The feed's last events, numbered and stored in the Durable Object so that watchers can resume.
 */
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
    /** The number of the last event. It outlives the object, so that a number is never reused. */
    get seq(): number;
    /**
     * Number events and store them. This is not awaited: the runtime delays what the object sends
     * until all is stored.
     * @param {FeedEvent[]} events
     * @returns {Numbered[]}
     */
    append(events: FeedEvent[]): Numbered[];
    /**
     * @param {number} seq the last number that a watcher has received
     * @returns {Numbered[] | null} the later events; null if they are no longer stored completely
     */
    after(seq: number): Numbered[] | null;
}
/**
 * Split events into batches, which become frames of a moderate size.
 * @param {Numbered[]} numbered
 * @returns {Numbered[][]}
 */
export declare function batchesOf(numbered: Numbered[]): Numbered[][];
