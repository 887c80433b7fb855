"""Define the foundation of the schema: the base class, errors, and strings that have a form."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from flowflare.model import names

NAMESPACE = "flowflare"
#: The newest compatibility date that this release was tested with.
COMPATIBILITY_DATE = "2026-11-01"

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T00:00:00Z)?")
_ID = re.compile(r"[0-9a-f]{32}")
_BINDING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLASS = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SCRIPT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_FLAG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


class Written(BaseModel):
    """The base of what users write: camelCase keys, exact types, no unknown keys."""

    # A constructor never gets these keys, which mypy cannot know.
    model_config = ConfigDict(  # type: ignore[pydantic-alias]
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel
    )


class WrittenAsInApi(Written):
    """The base of what users write with the keys of Cloudflare's API."""

    model_config = ConfigDict(alias_generator=None)


def refusal(message: str, remedy: str) -> PydanticCustomError:
    """Make a validation error with our own message and a remedy."""
    escaped = message.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("flowflare", escaped, {"remedy": remedy})


def _account_id(value: str) -> str:
    if not _ID.fullmatch(value):
        remedy = "Copy the 32 hexadecimal digits from the Cloudflare dashboard and quote them."
        raise refusal(f"is {value!r}, which is not a Cloudflare account ID", remedy)
    return value


def _zone_id(value: str) -> str:
    if not _ID.fullmatch(value):
        remedy = "Copy the zone's 32 hexadecimal digits from its overview page and quote them."
        raise refusal(f"is {value!r}, which is not a Cloudflare zone ID", remedy)
    return value


def _date(value: str) -> str:
    # Go's YAML library reads an unquoted date as a timestamp.
    match = _DATE.fullmatch(value)
    try:
        date.fromisoformat(match.group(1) if match else "")
    except ValueError:
        message, remedy = (
            f"is {value!r}, which is not a date",
            f"Write a date: {COMPATIBILITY_DATE}",
        )
        raise refusal(message, remedy) from None
    return value[:10]


def _flag(value: str) -> str:
    if not _FLAG.fullmatch(value):
        remedy = "For example nodejs_compat; Cloudflare's documentation lists them."
        raise refusal(f"is {value!r}, which is not a compatibility flag", remedy)
    return value


def _flags(value: list[str]) -> list[str]:
    """Refuse a flag that is listed twice, and a flag with its opposite, as Cloudflare does."""
    for position, flag in enumerate(value):
        if flag in value[:position]:
            raise refusal(f"has {flag} twice", "Name each flag once.")
        if f"no_{flag}" in value:
            raise refusal(f"has {flag} and no_{flag}", "Keep one of them.")
    return value


def _word(value: str) -> str:
    if not names.WORD.fullmatch(value):
        remedy = "Use lower-case letters, digits and single hyphens, beginning with a letter."
        raise refusal(f"is {value!r}, which cannot be part of a Worker's name", remedy)
    return value


def _environment(value: str) -> str:
    if not names.ENVIRONMENT.fullmatch(value):
        remedy = "Use lower-case letters and digits without a hyphen, for example prod or pr12."
        raise refusal(f"is {value!r}, which is not an environment's name", remedy)
    return value


def _physical(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value) or len(value) > names.MAX_LENGTH:
        remedy = f"Use lower-case letters, digits, `-`, `_`, at most {names.MAX_LENGTH} characters."
        raise refusal(f"is {value!r}, which is not a valid name in Cloudflare", remedy)
    return value


def _check_hyphenated(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]+[a-z0-9]", value) or len(value) > names.MAX_LENGTH:
        remedy = (
            "Use lower-case letters, digits and `-`, with a letter or digit at both ends, "
            f"3 to {names.MAX_LENGTH} characters."
        )
        raise refusal(f"is {value!r}, which is not a valid name", remedy)
    return value


def check_in_project(value: str, example: str) -> str:
    """Check that a path is inside the project, and return it unchanged.

    Raises:
        PydanticCustomError: it is absolute, empty, or outside of the project.
    """
    outside = value.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", value)
    if not value or outside:
        remedy = f"Write it relative to the project's folder: {example}"
        raise refusal(f"is {value!r}, which is not a path inside the project", remedy)
    return value


def _source(value: str) -> str:
    return check_in_project(value, "worker_src/orders/src/index.js")


def _folder(value: str) -> str:
    return check_in_project(value, "worker_src/orders/migrations")


def _class_name(value: str) -> str:
    if not _CLASS.fullmatch(value):
        message = f"is {value!r}, which is not a JavaScript class name"
        raise refusal(message, "For example: OrderWorkflow")
    return value


def _binding(value: str) -> str:
    if not _BINDING.fullmatch(value):
        remedy = "Use letters, digits and `_`, for example CACHE."
        raise refusal(f"`{value}` is not a valid name for a binding", remedy)
    return value


def _variable(value: str) -> str:
    if not _BINDING.fullmatch(value):
        remedy = "Use letters, digits and `_`, for example API_URL."
        raise refusal(f"`{value}` is not a valid name for a variable", remedy)
    return value


def _check_script(value: str) -> str:
    if not _SCRIPT.fullmatch(value):
        remedy = "Write a Worker's name as it is in the account."
        raise refusal(f"is {value!r}, which is not the name of a Worker", remedy)
    return value


def refuse_secrets(value: Any) -> Any:
    """Check that a JSON value contains no secret of Pulumi's configuration, at any depth.

    Raises:
        PydanticCustomError: it does; everyone who sees the Worker's settings could read it.
    """
    inside: Iterable[Any] = ()
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            remedy = "Move it to the client's `secrets`, under a name of its own."
            raise refusal("is or contains a secret, which everyone could read here", remedy)
        inside = value.values()
    elif isinstance(value, list):
        inside = value
    for item in inside:
        refuse_secrets(item)
    return value


AccountId = Annotated[str, AfterValidator(_account_id)]
ZoneId = Annotated[str, AfterValidator(_zone_id)]
Environment = Annotated[str, AfterValidator(_environment)]
Word = Annotated[str, AfterValidator(_word)]
Date = Annotated[str, AfterValidator(_date)]
Flags = Annotated[list[Annotated[str, AfterValidator(_flag)]], AfterValidator(_flags)]
Physical = Annotated[str, AfterValidator(_physical)]
Hyphenated = Annotated[str, AfterValidator(_check_hyphenated)]
Source = Annotated[str, AfterValidator(_source)]
Folder = Annotated[str, AfterValidator(_folder)]
ClassName = Annotated[str, AfterValidator(_class_name)]
BindingName = Annotated[str, AfterValidator(_binding)]
VariableName = Annotated[str, AfterValidator(_variable)]
ScriptName = Annotated[str, AfterValidator(_check_script)]
Json = Annotated[JsonValue, AfterValidator(refuse_secrets)]
