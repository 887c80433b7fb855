"""Model the files that a Worker's code imports: their rules, and what is uploaded of them."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from flowflare.model.frozen import Frozen


class ModuleRule(Frozen):
    """What a Worker gets when it imports a file that is not code."""

    type: Literal["Text", "Data", "CompiledWasm"] = Field(description="What the Worker gets.")
    globs: tuple[str, ...] = Field(description="The imports, for example `**/*.md`.")
    fallthrough: bool = Field(
        default=False, description="Whether later rules of this type apply too."
    )


@dataclass(frozen=True)
class CodeModule:
    """A module that the main module imports, or its source map.

    Attributes:
        name: the name by which it is imported.
        content_type: its media type, such as `application/wasm`.
    """

    name: str
    content_type: str
    base64: str
