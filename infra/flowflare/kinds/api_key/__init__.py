"""A stack's API key, generated once."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:ApiKey",
    folder=__name__,
    apply="ApiKeyProvider",
    risk="assess",
    calls=NotSupported("It is made without a request to Cloudflare."),
    drift=NotSupported(
        "Cloudflare does not return keys, so only the binding is compared, by name."
    ),
    adopt="find",
    settings=NotSupported("The keys `apiKeys` and `apiKeyInUse` of the stack are its settings."),
    declare="ApiKey",
    made_of_inputs="api_key",
)
