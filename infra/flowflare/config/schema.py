"""The configuration's keys, as people write them below `flowflare:`.

One pydantic schema says what each key takes, prints the reference page and makes the JSON Schema
for editors (`config/reference.py`). Pulumi hands over flat strings; `config/load.py` turns them
into what this schema checks, and the checked values into the model.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flowflare.model import names

NAMESPACE = "flowflare"
#: The newest date whose behaviour this release was tested with.
COMPATIBILITY_DATE = "2026-11-01"
#: When the service deletes what its retention no longer keeps: every ten minutes, a bounded number.
RETENTION_CRON = "*/10 * * * *"

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T00:00:00Z)?")
_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_BINDING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLASS = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def refusal(message: str, remedy: str) -> PydanticCustomError:
    """A validation error with our own words and a remedy."""
    escaped = message.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("flowflare", escaped, {"remedy": remedy})


def _account_id(value: str) -> str:
    if not _ACCOUNT.fullmatch(value):
        remedy = "Copy the 32 hexadecimal digits from the Cloudflare dashboard and quote them."
        raise refusal(f"is {value!r}, which is no Cloudflare account id", remedy)
    return value


def _date(value: str) -> str:
    # Go's YAML library makes a timestamp of an unquoted date.
    match = _DATE.fullmatch(value)
    if not match:
        raise refusal(f"is {value!r}, which is no date", f"Write a date: {COMPATIBILITY_DATE}")
    return match.group(1)


def _word(value: str) -> str:
    if not names.WORD.fullmatch(value):
        remedy = "Use lower-case letters, digits and single hyphens, beginning with a letter."
        raise refusal(f"is {value!r}, which cannot stand in a Worker's name", remedy)
    return value


def _environment(value: str) -> str:
    if not names.ENVIRONMENT.fullmatch(value):
        remedy = "Use lower-case letters and digits without a hyphen, for example prod or pr12."
        raise refusal(f"is {value!r}, which is no environment's name", remedy)
    return value


def _physical(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value) or len(value) > names.MAX_LENGTH:
        remedy = f"Use lower-case letters, digits, `-`, `_`, at most {names.MAX_LENGTH} characters."
        raise refusal(f"is {value!r}, which is no name for Cloudflare", remedy)
    return value


def _source(value: str) -> str:
    if not value or value.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", value):
        remedy = "Write it relative to the project's folder: worker_src/orders/src/index.js"
        raise refusal(f"is {value!r}, which is no path inside the project", remedy)
    return value


def _class_name(value: str) -> str:
    if not _CLASS.fullmatch(value):
        raise refusal(f"is {value!r}, which is no JavaScript class", "For example: OrderWorkflow")
    return value


def _variable(value: str) -> str:
    if not _BINDING.fullmatch(value):
        remedy = "Use letters, digits and `_`, for example API_URL."
        raise refusal(f"`{value}` is no name for a variable", remedy)
    return value


def _plain(value: object) -> object:
    """Numbers and booleans of YAML become the text a Worker sees."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


Word = Annotated[str, AfterValidator(_word)]
Date = Annotated[str, AfterValidator(_date)]
Physical = Annotated[str, AfterValidator(_physical)]
VariableName = Annotated[str, AfterValidator(_variable)]
Text = Annotated[str, BeforeValidator(_plain)]


class Written(BaseModel):
    """The base of what people write: camelCase keys, exact types, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class WorkflowConfig(Written):
    """One Workflow of a client."""

    class_name: Annotated[str, AfterValidator(_class_name)] = Field(
        alias="className",
        description="The class that the client's source exports and Cloudflare runs.",
    )


class ClientConfig(Written):
    """One client Worker."""

    source: Annotated[str, AfterValidator(_source)] = Field(
        description="Its entry file, JavaScript or TypeScript, relative to the project's folder."
    )
    workflows: dict[Word, WorkflowConfig] = Field(
        default_factory=dict,
        description="Its Workflows by name. The name is the service's workflow type; the binding "
        "is the name in upper case with underscores.",
    )
    variables: dict[VariableName, Text] = Field(
        default_factory=dict, description="Plain-text variables of its `env`, by name."
    )
    workers_dev: bool = Field(
        alias="workersDev",
        default=True,
        description="Whether it is reachable at its workers.dev URL.",
    )
    compatibility_date: Date = Field(
        alias="compatibilityDate",
        default=COMPATIBILITY_DATE,
        description="The date whose runtime behaviour it gets.",
    )
    compatibility_flags: list[str] = Field(
        alias="compatibilityFlags",
        default_factory=list,
        description="Runtime flags, for example nodejs_compat.",
    )
    observability: bool = Field(
        default=False, description="Whether Cloudflare keeps its logs (Workers Logs)."
    )
    crons: list[str] | None = Field(
        default=None,
        description="Cron triggers. Cloudflare keeps triggers that are only left out: an empty "
        "list removes them.",
    )


class NamesConfig(Written):
    """Names in the account, taken as they are instead of the rule's."""

    service: Physical | None = Field(default=None, description="The service's script.")
    database: Physical | None = Field(default=None, description="The D1 database.")
    clients: dict[str, Physical] = Field(
        default_factory=dict, description="Scripts of clients, by the client's name."
    )
    workflows: dict[str, Physical] = Field(
        default_factory=dict, description="Workflows, by the Workflow's name."
    )


class StackConfig(Written):
    """Every key of the namespace `flowflare`."""

    account_id: Annotated[str, AfterValidator(_account_id)] = Field(
        alias="accountId", description="The Cloudflare account, 32 hexadecimal digits."
    )
    engine: Literal["embedded", "pulumi"] = Field(
        default="pulumi",
        description="Who runs the stack: `embedded`, which only serves an API on this machine, "
        "or the Pulumi CLI.",
    )
    tenant: Word | None = Field(
        default=None, description="Whose stack it is; the first part of every name."
    )
    environment: Annotated[str, AfterValidator(_environment)] | None = Field(
        default=None,
        description="The environment, a part of every name; the stack's name when left out.",
    )
    clients: dict[Word, ClientConfig] = Field(
        default_factory=dict, description="The client Workers by name."
    )
    client_overrides: dict[str, dict[str, object]] = Field(
        alias="clientOverrides",
        default_factory=dict,
        description="Fields of single clients that a stack sets differently, by the client's "
        "name; each field replaces the client's whole field.",
    )
    allowed_origins: list[str] = Field(
        alias="allowedOrigins",
        default_factory=list,
        description="Origins that may call the service from a browser.",
    )
    debug: bool = Field(default=False, description="Whether the service logs what it does.")
    workers_dev: bool = Field(
        alias="workersDev",
        default=True,
        description="Whether the service is reachable at its workers.dev URL.",
    )
    compatibility_date: Date = Field(
        alias="compatibilityDate",
        default=COMPATIBILITY_DATE,
        description="The date whose behaviour the service gets.",
    )
    compatibility_flags: list[str] = Field(
        alias="compatibilityFlags",
        default_factory=list,
        description="Runtime flags of the service.",
    )
    observability: bool = Field(
        default=False, description="Whether Cloudflare keeps the service's logs."
    )
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        alias="retentionDays",
        default=None,
        description="Days after which runs that ended are deleted; kept for ever when left out.",
    )
    stuck_after_minutes: Annotated[int, Field(ge=0, le=525_600)] | None = Field(
        alias="stuckAfterMinutes",
        default=None,
        description="Minutes without an event after which a run counts as stuck; 60 when left "
        "out, never with 0.",
    )
    names: NamesConfig = Field(
        default_factory=NamesConfig,
        description="Names in the account that differ from the rule "
        "`<tenant>-<environment>-flowflare-<what>`.",
    )
    protect: bool = Field(
        default=True,
        description="Whether the database and the Durable Object's script are protected from "
        "deletion and replacement.",
    )
    allow_data_loss: dict[str, str] = Field(
        alias="allowDataLoss",
        default_factory=dict,
        description="Resources whose protection is lifted, each with the reason, by the "
        "resource's name.",
    )
