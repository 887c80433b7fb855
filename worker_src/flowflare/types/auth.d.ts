/** Key authentication: one of the active keys, compared in constant time; without a key nobody enters. */
export type Keys = {
    SERVICE_API_KEY?: string;
    SERVICE_API_KEY_PREVIOUS?: string;
    [generation: `SERVICE_API_KEY_${number}`]: string | undefined;
};
/**
 * Keys that are accepted. The first is in use and signs: every service that runs during a rotation accepts it.
 * @param {Keys} env
 * @returns {string[]}
 */
export declare function activeKeys(env: Keys): string[];
/**
 * @param {Request} request
 * @param {Keys} env
 * @throws {Problem} 401
 */
export declare function requireKey(request: Request, env: Keys): Promise<void>;
