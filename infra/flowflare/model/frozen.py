"""The base of every model: frozen, and it refuses fields that it does not know."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value that never changes and has no field beyond those declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")
