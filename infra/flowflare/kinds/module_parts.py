"""Make the parts of an upload that are modules: the main module and its files."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from flowflare.api import Part

JAVASCRIPT = "application/javascript+module"


def make_module_parts(props: Mapping[str, Any]) -> list[Part]:
    """Make the parts of a script's modules.

    Args:
        props: the inputs of a dynamic resource: `main_module`, `content` and `files`.
    """
    main, files = props["main_module"], props.get("files") or {}
    return [
        Part(main, props["content"], JAVASCRIPT, filename=main),
        *(
            make_file_part(name, files[name]["content_base64"], files[name]["content_type"])
            for name in sorted(files)
        ),
    ]


def make_file_part(name: str, content: str, content_type: str) -> Part:
    """Make the part of a file beside the main module; its content is base64."""
    return Part(name, base64.b64decode(content), content_type, filename=name)


def compute_sha256(content: str) -> str | None:
    """Return the SHA-256 of decoded base64; None if it is not base64."""
    try:
        return hashlib.sha256(base64.b64decode(content, validate=True)).hexdigest()
    except (binascii.Error, ValueError):
        return None
