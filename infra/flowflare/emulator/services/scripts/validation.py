"""Check whether an upload would start, by starting it in workerd."""

import re
from datetime import UTC, datetime

from flowflare.emulator import codes
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.scripts.limits import refuse_too_large
from flowflare.emulator.services.scripts.script import Export
from flowflare.emulator.services.scripts.upload import Upload

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")
_MODULE_NAME = re.compile(r"[\w./@+-]+")


def refuse_name(name: str) -> None:
    """Refuse an invalid script name (10016)."""
    if not _NAME.fullmatch(name):
        raise codes.invalid_name(name)


async def exports_of(upload: Upload, runtime: Runtime) -> list[Export]:
    """Return what the uploaded main module exports.

    Args:
        upload: the modules and metadata.
        runtime: starts the upload in workerd.

    Raises:
        Refusal: 10021 with workerd's own error if the script does not start, 10068 if it registers
            no handler, or 10027 or 10054 if a part of it is too large.
    """
    metadata = upload.metadata
    refuse_too_large(upload)
    _refuse_date(metadata.compatibility_date)
    for module in upload.modules:
        if not _MODULE_NAME.fullmatch(module.name):
            raise codes.invalid_script(f'"{module.name}" is not a valid module name.')
    answer = await runtime.probe(
        upload.modules,
        service_worker=upload.service_worker,
        date=metadata.compatibility_date,
        flags=metadata.compatibility_flags,
    )
    if "problem" in answer:
        raise codes.invalid_script(answer["problem"])
    exports = [
        Export(export["name"], export["kind"], export["base"], tuple(export["handlers"]))
        for export in answer["exports"]
    ]
    if not exports and not upload.service_worker:
        raise codes.no_handlers()
    return exports


def _refuse_date(date: str) -> None:
    try:
        day = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise codes.invalid_script(f"Invalid compatibility date: {date}") from None
    if day > datetime.now(UTC):
        raise codes.invalid_script(f"Can't set compatibility date in the future: {date}")
