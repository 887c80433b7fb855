"""Define the bindings of a client: to existing resources, or to resources that they create.

The fields of known types are checked, so that mistakes are found before anything is sent. A binding
of an unknown type is sent to Cloudflare as it is written.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from flowflare.config.schema.secrets import Secret
from flowflare.config.schema.worker import ScriptName
from flowflare.kinds.contract import load_settings
from flowflare.kinds.registry import list_own
from flowflare.model.written import ClassName, Json, Written, refuse_secrets

_Text = Annotated[str, Field(min_length=1)]
_Id = Annotated[str, Field(min_length=1)]


class RawBinding(Written):
    """A binding of a type that is not listed here; its other fields are not checked."""

    model_config = ConfigDict(extra="allow")

    type: _Text = Field(description="The binding's type as Cloudflare's API names it.")

    @model_validator(mode="before")
    @classmethod
    def _without_secrets(cls, value: Any) -> Any:
        return refuse_secrets(value)


class PlainTextBinding(Written):
    """A text; `variables` are shorter."""

    type: Literal["plain_text"] = Field(description="A text.")
    text: str = Field(description="The text.")


class JsonBinding(Written):
    """A JSON value; `variables` are shorter."""

    type: Literal["json"] = Field(description="A JSON value, which the Worker gets parsed.")
    json_value: Json = Field(alias="json", description="The value.")


class SecretTextBinding(Written):
    """A secret text; `secrets` are shorter."""

    type: Literal["secret_text"] = Field(description="A secret text.")
    text: Secret = Field(description="The source of the secret, as in `secrets`.")


class SecretKeyBinding(Written):
    """A `CryptoKey` whose key material the Worker cannot read."""

    type: Literal["secret_key"] = Field(description="A key for Web Crypto.")
    algorithm: Json = Field(description="The algorithm as `crypto.subtle.importKey` takes it.")
    format: Literal["raw", "pkcs8", "spki", "jwk"] = Field(description="The key's format.")
    usages: list[
        Literal[
            "encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey",
            "unwrapKey",
        ]
    ] = Field(description="What the key may be used for.")  # fmt: skip
    key_base64: Secret | None = Field(
        default=None,
        description="The source of the key in base64, for the formats raw, pkcs8 and spki.",
    )
    key_jwk: Secret | None = Field(
        default=None, description="The source of the key as a JSON Web Key, for the format jwk."
    )


class SecretsStoreBinding(Written):
    """A secret of the account's Secrets Store."""

    type: Literal["secrets_store_secret"] = Field(description="A secret of a Secrets Store.")
    store_id: _Id = Field(description="The store's id.")
    secret_name: _Text = Field(description="The secret's name.")


class D1Binding(Written):
    """An existing D1 database; `databases` create new ones."""

    type: Literal["d1"] = Field(description="A D1 database.")
    id: _Id = Field(description="The database's id.")


class KvNamespaceBinding(Written):
    """A KV namespace."""

    type: Literal["kv_namespace"] = Field(description="A KV namespace.")
    namespace_id: _Id = Field(description="The namespace's id.")


class R2BucketBinding(Written):
    """An R2 bucket."""

    type: Literal["r2_bucket"] = Field(description="An R2 bucket.")
    bucket_name: _Text = Field(description="The bucket's name.")
    jurisdiction: Literal["eu", "fedramp", "fedramp-high"] | None = Field(
        default=None, description="The bucket's jurisdiction, if it has one."
    )


class QueueBinding(Written):
    """A queue to which the Worker sends messages."""

    type: Literal["queue"] = Field(description="A queue, for sending.")
    queue_name: _Text = Field(description="The queue's name.")
    delivery_delay: Annotated[int, Field(ge=0, le=43_200)] | None = Field(
        default=None, description="Seconds before a message can be received."
    )


class DurableObjectBinding(Written):
    """A Durable Object class of another script; see `durableObjects` for the client's own."""

    type: Literal["durable_object_namespace"] = Field(description="A Durable Object class.")
    class_name: ClassName = Field(description="The class.")
    script_name: ScriptName = Field(description="The script that has the class.")
    environment: _Text | None = Field(default=None, description="The script's environment.")


class WorkflowTargetBinding(Written):
    """A Workflow of another script; see `workflows` for the client's own."""

    type: Literal["workflow"] = Field(description="A Workflow.")
    workflow_name: _Text = Field(description="The Workflow's name in the account.")
    class_name: ClassName | None = Field(default=None, description="Its class.")
    script_name: ScriptName | None = Field(default=None, description="The script that runs it.")


class ServiceTargetBinding(Written):
    """Another Worker."""

    type: Literal["service"] = Field(description="A Worker.")
    service: ScriptName = Field(description="The Worker's name.")
    environment: _Text | None = Field(default=None, description="Its environment.")
    entrypoint: _Text | None = Field(
        default=None, description="The exported entrypoint; by default the default export."
    )
    props: dict[str, Json] | None = Field(
        default=None, description="The value of `ctx.props` in the entrypoint."
    )
    cross_account_grant: _Text | None = Field(
        default=None, description="The grant of another account, if the Worker belongs to it."
    )


class AnalyticsEngineBinding(Written):
    """A dataset of Analytics Engine."""

    type: Literal["analytics_engine"] = Field(description="A dataset for data points.")
    dataset: _Text = Field(description="The dataset's name.")


class RateLimit(Written):
    """The rate of a rate limiter."""

    limit: Annotated[float, Field(ge=0, strict=False)] = Field(description="Calls per period.")
    period: Literal[10, 60] = Field(description="The period in seconds.")
    mitigation_timeout: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Seconds for which a caller above the limit is refused."
    )


class RateLimitBinding(Written):
    """A rate limiter."""

    type: Literal["ratelimit"] = Field(description="A rate limiter.")
    namespace_id: _Id = Field(
        description="A number in quotes; bindings with the same number share their counts."
    )
    simple: RateLimit = Field(description="`limit` calls in `period` seconds.")


class HyperdriveBinding(Written):
    """A Hyperdrive configuration."""

    type: Literal["hyperdrive"] = Field(description="A database behind Hyperdrive.")
    id: _Id = Field(description="The configuration's id.")


class VectorizeBinding(Written):
    """A Vectorize index."""

    type: Literal["vectorize"] = Field(description="A Vectorize index.")
    index_name: _Text = Field(description="The index's name.")


class OutboundWorker(Written):
    """The outbound Worker of dispatched Workers."""

    service: ScriptName = Field(description="The Worker's name.")
    environment: _Text | None = Field(default=None, description="The Worker's environment.")


class Outbound(Written):
    """The outbound Worker that handles the requests of dispatched Workers, and its parameters."""

    worker: OutboundWorker = Field(description="The outbound Worker.")
    params: list[_Text] | None = Field(default=None, description="The names of its parameters.")


class DispatchNamespaceBinding(Written):
    """A dispatch namespace of Workers for Platforms."""

    type: Literal["dispatch_namespace"] = Field(description="A dispatch namespace.")
    namespace: _Text = Field(description="The namespace's name.")
    outbound: Outbound | None = Field(default=None, description="The outbound Worker, if any.")


class MtlsCertificateBinding(Written):
    """A client certificate."""

    type: Literal["mtls_certificate"] = Field(description="A certificate for outgoing mTLS.")
    certificate_id: _Id = Field(description="The certificate's id.")


class TailConsumerBinding(Written):
    """A Tail Worker as a binding."""

    type: Literal["tail_consumer"] = Field(description="A Tail Worker.")
    service: ScriptName = Field(description="The Tail Worker's name.")


class InheritBinding(Written):
    """A binding of an earlier version, kept; for bindings that were made outside of this stack."""

    type: Literal["inherit"] = Field(description="The live script's binding of the same name.")
    old_name: _Text | None = Field(default=None, description="The binding's present name.")
    version_id: _Text | None = Field(default=None, description="The version with the binding.")


class VersionMetadataBinding(Written):
    """The ID and tag of the running version."""

    type: Literal["version_metadata"] = Field(description="ID and tag of the running version.")


class AssetsBinding(Written):
    """The Worker's static assets."""

    type: Literal["assets"] = Field(description="Static assets.")


class AiBinding(Written):
    """Workers AI."""

    type: Literal["ai"] = Field(description="Workers AI.")


class BrowserBinding(Written):
    """Browser Rendering."""

    type: Literal["browser"] = Field(description="Browser Rendering.")


_KNOWN: tuple[type[Written], ...] = (
    PlainTextBinding, JsonBinding, SecretTextBinding, SecretKeyBinding, SecretsStoreBinding,
    D1Binding, KvNamespaceBinding, R2BucketBinding, QueueBinding, DurableObjectBinding,
    WorkflowTargetBinding, ServiceTargetBinding, AnalyticsEngineBinding, RateLimitBinding,
    HyperdriveBinding, VectorizeBinding, DispatchNamespaceBinding, MtlsCertificateBinding,
    TailConsumerBinding, InheritBinding, VersionMetadataBinding, AssetsBinding, AiBinding,
    BrowserBinding,
)  # fmt: skip


def _types() -> Iterator[tuple[str, type[Written]]]:
    for model in _KNOWN:
        [name] = model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
        yield name, model


#: The schema of each known type, by the API's name of the type.
BINDING_TYPES: dict[str, type[Written]] = dict(_types())


class OwnForm(Written):
    """A binding that creates its resource."""

    settings: Written


def own_settings() -> dict[str, type[Written]]:
    """Return the settings of each resource that a binding can create, by the binding's key."""
    found = {key: load_settings(kind) for key, kind in list_own().items()}
    return {key: settings for key, settings in found.items() if settings is not None}


def _own_forms() -> Iterator[tuple[str, type[Written]]]:
    """Make the schemas of bindings that create their resource: one key with its settings."""
    for key, settings in own_settings().items():
        field: Any = (settings, Field(alias=key, description="Its settings; `{}` for none."))
        name = f"{settings.__name__.removesuffix('Settings')}OwnBinding"
        yield key, create_model(name, __base__=OwnForm, __doc__=settings.__doc__, settings=field)


#: The schema of each binding that creates its resource, by its key.
OWN_FORMS: dict[str, type[Written]] = dict(_own_forms())
_RAW = "<raw>"


def _type(value: Any) -> str:
    written = value.get("type") if isinstance(value, dict) else None
    if isinstance(written, str):
        return f"<{written}>" if written in BINDING_TYPES else _RAW
    own = [key for key in value if key in OWN_FORMS] if isinstance(value, dict) else []
    return f"<own {own[0]}>" if own else _RAW


if TYPE_CHECKING:
    Binding = Written
else:
    _members = [Annotated[model, Tag(f"<{name}>")] for name, model in BINDING_TYPES.items()]
    _members += [Annotated[model, Tag(f"<own {key}>")] for key, model in OWN_FORMS.items()]
    Binding = Annotated[
        Union[(*_members, Annotated[RawBinding, Tag(_RAW)])],
        Discriminator(_type),
    ]
