/**
 * Authenticate by API key, compared in constant time with every active key. Without keys, all calls
 * are refused.
 */
export type Keys = {
    SERVICE_API_KEY?: string;
    SERVICE_API_KEY_PREVIOUS?: string;
    [generation: `SERVICE_API_KEY_${number}`]: string | undefined;
};
/**
 * List the accepted keys. The first is current and signs. Every service that runs during a rotation
 * accepts it.
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
