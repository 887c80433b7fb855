"""List binding types whose fields are all strings, or are not checked."""

from typing import Any, Final, Literal

from pydantic import Field, create_model

from flowflare.kinds.bindings.contract import BindingType, Lookup, Text, WranglerEntry
from flowflare.model.written import WrittenAsInApi


def _declare(
    name: str,
    schema: str,
    summary: str,
    description: str,
    wrangler: WranglerEntry | None = None,
    lookup: Lookup | None = None,
    **fields: str,
) -> BindingType:
    """Declare a type whose fields are required strings, each with its description."""
    texts: dict[str, Any] = {key: (Text, Field(description=said)) for key, said in fields.items()}
    type_: Any = (Literal[name], Field(description=description))
    model = create_model(schema, __base__=WrittenAsInApi, __doc__=summary, type=type_, **texts)
    return BindingType(name, model, wrangler, lookup=lookup)


SECRETS_STORE_SECRET: Final = _declare(
    "secrets_store_secret", "SecretsStoreBinding",
    "A secret of the account's Secrets Store.", "A secret of a Secrets Store.",
    WranglerEntry("secrets_store_secrets"),
    store_id="The store's id.",
    secret_name="The secret's name.",  # noqa: S106 -- a description
)  # fmt: skip
ANALYTICS_ENGINE: Final = _declare(
    "analytics_engine", "AnalyticsEngineBinding",
    "A dataset of Analytics Engine.", "A dataset for data points.",
    WranglerEntry("analytics_engine_datasets"), dataset="The dataset's name.",
)  # fmt: skip
VECTORIZE: Final = _declare(
    "vectorize", "VectorizeBinding", "A Vectorize index.", "A Vectorize index.",
    WranglerEntry("vectorize"),
    Lookup("index_name", "Vectorize index", "vectorize/v2/indexes/{}"),
    index_name="The index's name.",
)  # fmt: skip
MTLS_CERTIFICATE: Final = _declare(
    "mtls_certificate", "MtlsCertificateBinding",
    "A client certificate.", "A certificate for outgoing mTLS.",
    WranglerEntry("mtls_certificates"),
    Lookup("certificate_id", "mTLS certificate", "mtls_certificates/{}"),
    certificate_id="The certificate's id.",
)  # fmt: skip
WITHOUT_FIELDS: Final = (
    _declare("version_metadata", "VersionMetadataBinding", "The ID and tag of the running version.",
             "ID and tag of the running version.",
             WranglerEntry("version_metadata", is_alone=True)),
    _declare("ai", "AiBinding", "Workers AI.", "Workers AI.", WranglerEntry("ai", is_alone=True)),
    _declare("browser", "BrowserBinding", "Browser Rendering.", "Browser Rendering.",
             WranglerEntry("browser", is_alone=True)),
)  # fmt: skip
#: Written by a client's `assets`, and refused in its `bindings`.
ASSETS: Final = BindingType("assets")
UNCHECKED: Final = (
    *map(BindingType, (
        "ai_search", "ai_search_namespace", "artifacts", "data_blob", "flagship", "images", "k2",
        "media", "messaging", "pipelines", "send_email", "text_blob", "vpc_network", "vpc_service",
        "wasm_module",
    )),
    BindingType("worker_loader", is_in_provider=False),
)  # fmt: skip
