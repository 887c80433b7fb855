"""Define the base of every model: it is frozen and refuses unknown fields."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value that never changes and has only the declared fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
