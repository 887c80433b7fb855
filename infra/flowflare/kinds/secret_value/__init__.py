"""The value of a secret, from its source."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:SecretValue",
    folder=__name__,
    apply="SecretValueProvider",
    risk=NotSupported("Its source keeps the value; the script that binds it shows the change."),
    calls=NotSupported("It is made without a request to Cloudflare."),
    drift=NotSupported(
        "Cloudflare does not return secrets, so only the binding is compared, by name."
    ),
    adopt="find",
    settings=NotSupported("The forms of a source are the schema of a client's `secrets`."),
    declare="SecretValue",
    made_of_inputs="value",
)
