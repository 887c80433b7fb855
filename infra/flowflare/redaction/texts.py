"""List the secret strings in a value that is marked as a secret."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.reading.json_text import JsonError, parse_json
from flowflare.redaction.forms import LONG

# Cloudflare's plugin marks the whole list of a script's bindings as a secret. These are its binding
# types, with the fields that name the bound resource
# (https://developers.cloudflare.com/api/resources/workers/subresources/scripts/methods/update).
_BINDING_TYPE: Final = re.compile(
    "ai|analytics_engine|assets|browser|d1|data_blob|dispatch_namespace|durable_object_namespace|"
    "hyperdrive|images|inherit|json|kv_namespace|media|mtls_certificate|pipelines|plain_text|queue|"
    "r2_bucket|ratelimit|secret_key|secret_text|secrets_store_secret|send_email|service|"
    "tail_consumer|text_blob|vectorize|version_metadata|vpc_service|wasm_module|worker_loader|"
    "workflow"
)
# Without underscores: Cloudflare's API writes `bucket_name`, its plugin `bucketName`.
_PUBLIC_FIELD: Final = re.compile(
    "algorithm|alloweddestinationaddresses|allowedsenderaddresses|bucketname|certificateid|"
    "classname|databaseid|dataset|destinationaddress|dispatchnamespace|entrypoint|environment|"
    "format|id|indexname|instancename|json|jurisdiction|name|namespace|namespaceid|oldname|"
    "outbound|part|pipeline|queuename|scriptname|secretname|service|serviceid|simple|storeid|"
    "type|usages|versionid|workflowname"
)


def list_texts(value: Any) -> Iterator[str]:
    """List the strings that are secret because a value is secret.

    Args:
        value: a text or a number. In a list, a mapping or their JSON, each text of at least `LONG`
            characters is a secret, except for the public fields of a binding; other values are
            ignored.
    """
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            try:
                inner = parse_json(value)
            except JsonError:
                return
            yield from _list_inner_texts(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(int(value)) if value == value // 1 else str(value)
    else:
        yield from _list_inner_texts(value)


def _list_inner_texts(value: Any) -> Iterator[str]:
    """List the strings of a list or a mapping that are long enough to be secrets by themselves."""
    if isinstance(value, str):
        if len(value) >= LONG:
            yield value
    elif isinstance(value, Mapping):
        kind = value.get("type") if "name" in value else None
        is_binding = isinstance(kind, str) and _BINDING_TYPE.fullmatch(kind)
        for name, item in value.items():
            if not is_binding or not _PUBLIC_FIELD.fullmatch(name.replace("_", "").lower()):
                yield from _list_inner_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _list_inner_texts(item)
