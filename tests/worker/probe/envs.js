/**
 * The environments in which the library is tested: each reaches the service in its own way, or not.
 */

export const ENVS = {
  service: ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }) => ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }),
  tracker: ({ WORKFLOW_TRACKER }) => ({ WORKFLOW_TRACKER }),
  url: ({ WORKFLOW_API_KEY }, url) => ({ TRACKER_API_URL: url, SERVICE_API_KEY: WORKFLOW_API_KEY }),
  rpc: ({ WORKFLOW_SERVICE_RPC }) => ({ WORKFLOW_SERVICE_RPC }),
  'service-down-but-rpc': ({ DOWN_TOO, WORKFLOW_SERVICE_RPC }) => ({
    WORKFLOW_SERVICE: DOWN_TOO,
    WORKFLOW_SERVICE_RPC,
  }),
  'service-down': ({ DOWN }) => ({ WORKFLOW_SERVICE: DOWN }),
  'service-down-but-tracker': ({ DOWN_AS_WELL, WORKFLOW_TRACKER }) => ({
    WORKFLOW_SERVICE: DOWN_AS_WELL,
    WORKFLOW_TRACKER,
  }),
  'wrong-key': ({ WORKFLOW_SERVICE }) => ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY: 'wrong' }),
  nothing: () => ({}),
  hanging: ({ HANGING }) => ({ WORKFLOW_SERVICE: HANGING }),
  'hanging-rpc': ({ HANGING_RPC }) => ({ WORKFLOW_SERVICE_RPC: HANGING_RPC }),
  'hanging-tracker': ({ HANGING_TRACKER }) => ({ WORKFLOW_TRACKER: HANGING_TRACKER }),
  slow: ({ SLOW, WORKFLOW_API_KEY }) => ({ WORKFLOW_SERVICE: SLOW, WORKFLOW_API_KEY }),
  late: ({ LATE, WORKFLOW_API_KEY }) => ({ WORKFLOW_SERVICE: LATE, WORKFLOW_API_KEY }),
  deaf: ({ DEAF, WORKFLOW_API_KEY }) => ({ WORKFLOW_SERVICE: DEAF, WORKFLOW_API_KEY }),
  recovering: ({ RECOVERING, WORKFLOW_API_KEY }) => ({
    WORKFLOW_SERVICE: RECOVERING,
    WORKFLOW_API_KEY,
  }),
};
