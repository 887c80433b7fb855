"""Generate docs/reference/configuration.md from the schema of the configuration."""

import inspect
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flowflare.config.schema import (
    NAMESPACE,
    SECRET_FORMS,
    ClassMigrationConfig,
    ClientConfig,
    DatabaseConfig,
    DomainConfig,
    DurableObjectConfig,
    LimitsConfig,
    LogsConfig,
    NamesConfig,
    ObservabilityConfig,
    PlacementConfig,
    RenamedClassConfig,
    RouteConfig,
    StackConfig,
    TailConsumerConfig,
    TracesConfig,
    TransferredClassConfig,
    WorkerConfig,
    WorkflowConfig,
)
from flowflare.config.schema.bindings import own_settings
from flowflare.config.schema.policies import PoliciesConfig
from flowflare.kinds.bindings.registry import BINDING_SCHEMAS
from flowflare.policies.contract import Policy
from flowflare.policies.registry import POLICIES

_INTRODUCTION = """\
# Configuration

A stack is configured in Pulumi's own files: `Pulumi.yaml` for all stacks, and
`Pulumi.<stack>.yaml` for one stack. A stack's key replaces the whole value of the project's key;
values are not merged. Settings that usually differ between environments are therefore separate
keys, and `clientOverrides` sets single fields of clients.

In `Pulumi.yaml`, write a list or a mapping under `value:`:

```yaml
config:
  flowflare:clients:
    value:
      orders:
        source: worker_src/orders/src/index.js
        workflows:
          order-processing:
            className: OrderWorkflow
```

The stack calls Cloudflare's API, or the API at `cloudflare:baseUrl`. The token is
`cloudflare:apiToken`, which `flowflare secrets set` encrypts. If these keys are missing, the
environment variables `CLOUDFLARE_BASE_URL` and `CLOUDFLARE_API_TOKEN` are used.

All mistakes in these files are reported at once, with file, line, key and what to write instead.

An editor with the YAML language server completes and checks these files with a JSON Schema. Save
the schema in the project, and name it in the first line of each file:

```shell
flowflare schema config > flowflare.schema.json
```

```yaml
# yaml-language-server: $schema=flowflare.schema.json
```
"""

_BINDINGS = """\
A binding is a name, a `type` and the fields of that type, as Cloudflare's API spells them:

```yaml
bindings:
  CACHE:
    type: kv_namespace
    namespace_id: 0f2ac74b498b48028cb68387c421e279
  ORDERS:
    type: queue
    queue_name: orders
```

A binding without a `type` creates a resource for this client alone:

```yaml
bindings:
  CACHE:
    kvNamespace: {}
```

A type that is not in this list is sent to Cloudflare as it is written. Cloudflare's provider for
Pulumi does not support such a type, `tail_consumer`, or the fields `delivery_delay`, `props` and
`cross_account_grant`. The stack uploads such a binding itself (`ScriptBindings`), and the script
that the provider uploads inherits it. With the Pulumi CLI, `pulumi refresh` therefore shows the
binding as changed, and the next `up` uploads that script again.

| type | field | takes | without it | |
|---|---|---|---|---|"""

_SECRETS = """\
A secret is written as its source, never as its value:

```yaml
secrets:
  STRIPE_KEY:
    secure: v1:...              # flowflare secrets set writes it
  MAIL_TOKEN:
    environment: MAIL_TOKEN
  SESSION_KEY:
    generated: {}
```

| field | takes | without it | |
|---|---|---|---|"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Keys", StackConfig),
    (f"One client, below `{NAMESPACE}:clients`", ClientConfig),
    ("One Workflow, below a client's `workflows`", WorkflowConfig),
    ("One database, below a client's `databases`", DatabaseConfig),
    ("One class, below a client's `durableObjects`", DurableObjectConfig),
    ("One step of a client's `classMigrations`", ClassMigrationConfig),
    ("One renamed class, in `renamedClasses`", RenamedClassConfig),
    ("One transferred class, in `transferredClasses`", TransferredClassConfig),
    ("One route, in `routes`", RouteConfig),
    ("One custom domain, in `domains`", DomainConfig),
    ("Limits, below `limits`", LimitsConfig),
    ("Placement, below `placement`", PlacementConfig),
    ("Observability, below `observability`", ObservabilityConfig),
    ("Logs, below `observability.logs`", LogsConfig),
    ("Traces, below `observability.traces`", TracesConfig),
    ("One Tail Worker, in `tailConsumers`", TailConsumerConfig),
    (f"Names, below `{NAMESPACE}:names`", NamesConfig),
    (f"Policies, below `{NAMESPACE}:policies`", PoliciesConfig),
    ("Any policy, below its name", Policy),
    *(
        (f"The policy `{policy.name}`", policy)
        for policy in POLICIES
        if policy.model_fields.keys() > Policy.model_fields.keys()
    ),
)


def configuration_page() -> str:
    """Return the Markdown text of docs/reference/configuration.md."""
    return "\n".join([_INTRODUCTION, *_sections(), *_bindings(), *_secrets()])


def _sections() -> Iterator[str]:
    for title, model in _SECTIONS:
        yield f"## {title}\n"
        prefix = f"{NAMESPACE}:" if model is StackConfig else ""
        yield "| key | takes | without it | |"
        yield "|---|---|---|---|"
        for name, field in _own_first(model):
            yield _row(f"`{prefix}{name}`", *_describe(field))
        yield ""


def _own_first(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """List a model's keys, with the keys that all Workers share at the end."""
    shared = WorkerConfig.model_fields if model is not WorkerConfig else {}
    fields = sorted(model.model_fields.items(), key=lambda item: item[0] in shared)
    return [(field.alias or name, field) for name, field in fields]


def _bindings() -> Iterator[str]:
    yield "## One binding, below a client's `bindings`\n"
    yield _BINDINGS
    own = {f"{key}: {{}}": model for key, model in own_settings().items()}
    for name, model in sorted({**BINDING_SCHEMAS, **own}.items()):
        summary = inspect.cleandoc(model.__doc__ or "").rstrip(".")
        yield _row(f"`{name}`", "", "", "", f"{summary}.")
        for key, field in _own_first(model):
            if key != "type":
                yield _row("", f"`{key}`", *_describe(field))
    yield ""


def _secrets() -> Iterator[str]:
    yield "## One secret, below a client's `secrets`\n"
    yield _SECRETS
    described: Mapping[str, FieldInfo] = {
        key: field for model in SECRET_FORMS.values() for key, field in _own_first(model)
    }
    for key, field in described.items():
        yield _row(f"`{key}`", *_describe(field))
    yield ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _describe(field: FieldInfo) -> tuple[str, str, str]:
    takes = _takes(field.annotation)
    if any(_may_be_true(validator) for validator in field.metadata):
        takes = f"true or false, or {takes}"
    return takes, _default(field), field.description or ""


_WORDS: Mapping[Any, str] = {bool: "true or false", int: "a whole number", float: "a number"}
_PLURALS: Mapping[Any, str] = {int: "whole numbers", object: "values"}


def _takes(annotation: Any, *, several: bool = False) -> str:
    """Describe what a key takes; `several` is for the items of a list or a mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is JsonValue:
        text = "values" if several else "any value"
    elif origin in (Annotated, Union, UnionType):
        # The members of a union are several mappings, or a value and None.
        text = _takes(arguments[0], several=several)
    elif origin is dict:
        text = f"a mapping of names to {_takes(arguments[1], several=True)}"
    elif origin is list:
        text = f"a list of {_takes(arguments[0], several=True)}"
    elif origin is Literal:
        text = " or ".join(f"`{argument}`" for argument in arguments)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        text = "mappings" if several else "a mapping"
    else:
        text = (_PLURALS if several else _WORDS).get(annotation, "text")
    return text


def _may_be_true(validator: object) -> bool:
    """Return whether a key also takes true or false, as a shorthand for a mapping of defaults."""
    taken = getattr(validator, "json_schema_input_type", None)
    return bool in get_args(taken)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None or field.default in (None, PydanticUndefined):
        return ""
    value = field.default
    if isinstance(value, BaseModel):
        return "`false`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
