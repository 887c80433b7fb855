"""Define the bindings of a client: to existing resources, or to resources that they create.

The fields of known types are checked, so that mistakes are found before anything is sent. A binding
of an unknown type is sent to Cloudflare as it is written.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from flowflare.kinds.bindings.contract import Text
from flowflare.kinds.bindings.registry import BINDING_SCHEMAS
from flowflare.kinds.contract import load_settings
from flowflare.kinds.registry import list_own
from flowflare.model.written import Written, WrittenAsInApi, refuse_secrets


class RawBinding(WrittenAsInApi):
    """A binding of a type that is not listed here; its other fields are not checked."""

    model_config = ConfigDict(extra="allow")

    type: Text = Field(description="The binding's type as Cloudflare's API names it.")

    @model_validator(mode="before")
    @classmethod
    def _without_secrets(cls, value: Any) -> Any:
        return refuse_secrets(value)


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
        return f"<{written}>" if written in BINDING_SCHEMAS else _RAW
    own = [key for key in value if key in OWN_FORMS] if isinstance(value, dict) else []
    return f"<own {own[0]}>" if own else _RAW


if TYPE_CHECKING:
    Binding = Written
else:
    _members = [Annotated[model, Tag(f"<{name}>")] for name, model in BINDING_SCHEMAS.items()]
    _members += [Annotated[model, Tag(f"<own {key}>")] for key, model in OWN_FORMS.items()]
    Binding = Annotated[
        Union[(*_members, Annotated[RawBinding, Tag(_RAW)])],
        Discriminator(_type),
    ]
