"""The settings of a client's own Hyperdrive configuration."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flowflare.model.written import Physical, Written, refusal
from flowflare.model.written_secrets import Secret

_Text = Annotated[str, Field(min_length=1)]
_Seconds = Annotated[int, Field(ge=0)]
#: The fields that locate a public database, a database behind Access, or a Workers VPC service.
_LOCATIONS = (
    {"host", "port"},
    {"host", "access_client_id", "access_client_secret"},
    {"service_id"},
)
_LOCATION = set().union(*_LOCATIONS)


class HyperdriveOrigin(Written):
    """A database, and where Hyperdrive reaches it."""

    scheme: Literal["postgres", "postgresql", "mysql"] = Field(
        description="The scheme of the database's URL."
    )
    host: _Text | None = Field(
        default=None,
        description="The database's hostname or IP address, which must be public unless the "
        "database is behind Cloudflare Access.",
    )
    port: Annotated[int, Field(ge=1, le=65_535)] | None = Field(
        default=None, description="The database's port; required for a public database."
    )
    database: _Text = Field(description="The database's name.")
    user: _Text = Field(description="The user as which Hyperdrive connects.")
    password: Secret = Field(description="The source of the user's password.")
    access_client_id: _Text | None = Field(
        default=None,
        description="The client ID of the Access service token, for a database behind Cloudflare "
        "Access.",
    )
    access_client_secret: Secret | None = Field(
        default=None, description="The source of the client secret of that service token."
    )
    service_id: _Text | None = Field(
        default=None, description="The ID of a Workers VPC service, instead of `host`."
    )

    @model_validator(mode="after")
    def _has_one_location(self) -> Self:
        given = {name for name in _LOCATION if getattr(self, name) is not None}
        if given not in _LOCATIONS:
            remedy = (
                "Write host and port for a public database; host, accessClientId and "
                "accessClientSecret for one behind Cloudflare Access; or serviceId alone."
            )
            raise refusal("does not say in exactly one way where the database is", remedy)
        return self


class HyperdriveCaching(Written):
    """How Hyperdrive caches the results of queries."""

    disabled: bool | None = Field(
        default=None, description="Whether no result is cached; by default `false`."
    )
    max_age: _Seconds | None = Field(
        default=None,
        description="For how many seconds a result is cached; Cloudflare's default is 60.",
    )
    stale_while_revalidate: _Seconds | None = Field(
        default=None,
        description="For how many further seconds an old result is served while a new one is "
        "read; Cloudflare's default is 15.",
    )

    @model_validator(mode="after")
    def _times_need_a_cache(self) -> Self:
        if self.disabled and (self.max_age, self.stale_while_revalidate) != (None, None):
            remedy = "Remove them, or set disabled to false."
            raise refusal("sets times of a cache that is disabled", remedy)
        return self


class HyperdriveMtls(Written):
    """The TLS certificates of the connection to the database."""

    ca_certificate_id: _Text | None = Field(
        default=None, description="The ID of the uploaded certificate of the database's authority."
    )
    mtls_certificate_id: _Text | None = Field(
        default=None, description="The ID of the uploaded client certificate."
    )
    sslmode: (
        Literal["require", "verify-ca", "verify-full", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"]
        | None
    ) = Field(
        default=None,
        description="What is verified: `require`, `verify-ca` or `verify-full` for PostgreSQL; "
        "`REQUIRED`, `VERIFY_CA` or `VERIFY_IDENTITY` for MySQL.",
    )


class HyperdriveSettings(Written):
    """A client's own Hyperdrive configuration, through which it reaches a database."""

    name: Physical | None = Field(
        default=None,
        description="The configuration's name in the account; "
        "by default `<tenant>-<environment>-flowflare-<client>-<binding>`.",
    )
    origin: HyperdriveOrigin = Field(description="The database.")
    caching: HyperdriveCaching | None = Field(
        default=None, description="How results are cached; by default as Cloudflare does."
    )
    mtls: HyperdriveMtls | None = Field(
        default=None, description="The certificates of the connection; not with `serviceId`."
    )
    origin_connection_limit: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="About how many connections Hyperdrive opens to the database at most; "
        "Cloudflare's default depends on the account's plan.",
    )
