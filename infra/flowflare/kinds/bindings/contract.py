"""The contract of a binding type: what users write, wrangler's words, and what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from flowflare.model.written import Written

Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class WranglerEntry:
    """How wrangler's configuration spells a binding type.

    Attributes:
        key: the configuration's key, a list with an entry for each binding.
        renamed: fields that have other names in wrangler.
        below: a key inside `key` that contains the list.
        is_alone: whether the key is a single mapping instead of a list.
        convert: changes an entry's other fields; None for a binding that wrangler does not support.
    """

    key: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    name: str = "binding"
    below: str | None = None
    is_alone: bool = False
    convert: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda entry: entry


@dataclass(frozen=True)
class WranglerVariable:
    """A binding that wrangler's configuration writes below `vars`.

    Attributes:
        value: the field with the value.
    """

    value: str


@dataclass(frozen=True)
class Lookup:
    """How to find out whether the account has what a binding names.

    Attributes:
        field: the field that identifies it.
        words: what errors call it.
        path: the path of its `GET` below the account, with `{}` for the field's value.
    """

    field: str
    words: str
    path: str


@dataclass(frozen=True)
class BindingType:
    """A binding type.

    Attributes:
        schema: the schema of what users write; None if its fields are not checked.
        wrangler: its form in wrangler's configuration; None if wrangler has no key for it.
        target: the field that identifies the bound resource.
        is_target_id: whether that field is the ID that Cloudflare generates, not the name.
        script_fields: fields that name a script which must exist before the upload.
        class_field: the field that names a Durable Object class of that script.
        word: what reports call the binding.
        is_in_provider: whether Cloudflare's provider accepts the type.
        json_texts: fields that the provider takes as JSON text; it sends the parsed value.
        lookup: how to look up the bound resource, if none of our kinds can.
    """

    name: str
    schema: type[Written] | None = None
    wrangler: WranglerEntry | WranglerVariable | None = None
    target: str = ""
    is_target_id: bool = False
    script_fields: tuple[str, ...] = ("service", "script_name")
    class_field: str = ""
    word: Literal["binding", "secret", "variable"] = "binding"
    is_in_provider: bool = True
    json_texts: tuple[str, ...] = ()
    lookup: Lookup | None = None
