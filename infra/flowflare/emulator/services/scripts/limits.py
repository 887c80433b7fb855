"""Keep the limits that Cloudflare checks when a script is uploaded, those of the paid plan."""

import zlib

from flowflare.emulator import codes
from flowflare.emulator.services.scripts.upload import Upload

_LARGEST_MIB = 10
_LARGEST = _LARGEST_MIB * 1024 * 1024
_LONGEST_TEXT = 5 * 1024
_TEXTS = ("plain_text", "secret_text")


def refuse_too_large(upload: Upload) -> None:
    """Refuse modules and variables that are too large.

    Source of the limits: developers.cloudflare.com/workers/platform/limits.

    Raises:
        Refusal: 10027 the modules are more than 10 MiB after gzip, or 10054 a variable or secret is
            longer than 5 KiB.
    """
    # What is small enough without compression is not compressed.
    if sum(len(module.content) for module in upload.modules) > _LARGEST:
        compressor = zlib.compressobj(wbits=31)
        size = sum(len(compressor.compress(module.content)) for module in upload.modules)
        if size + len(compressor.flush()) > _LARGEST:
            raise codes.script_too_large(limit=str(_LARGEST_MIB))
    for binding in upload.metadata.bindings:
        text = binding.get("text") if binding.get("type") in _TEXTS else None
        if isinstance(text, str) and len(text.encode()) > _LONGEST_TEXT:
            raise codes.text_too_large(name=str(binding.get("name")))
