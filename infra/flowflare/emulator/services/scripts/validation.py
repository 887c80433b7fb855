"""Whether an upload would start: asked of workerd itself, not guessed from the text."""

import re
from datetime import UTC, datetime

from flowflare.emulator import codes
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.scripts.script import Export
from flowflare.emulator.services.scripts.upload import Upload

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")
_MODULE_NAME = re.compile(r"[\w./@+-]+")


def refuse_name(name: str) -> None:
    """Refuses a name no script may have (10016)."""
    if not _NAME.fullmatch(name):
        raise codes.invalid_name(name)


async def exports_of(upload: Upload, workers: Workers) -> list[Export]:
    """What the uploaded main module exports.

    Args:
        upload: what was sent.
        workers: where workerd can be asked.

    Raises:
        Refusal: 10021 with workerd's own words when the script does not start, 10068 when it
            registers nothing.
    """
    metadata = upload.metadata
    _refuse_date(metadata.compatibility_date)
    for module in upload.modules:
        if not _MODULE_NAME.fullmatch(module.name):
            raise codes.invalid_script(f'"{module.name}" is not a valid module name.')
    answer = await workers.probe(
        upload.modules,
        service_worker=upload.service_worker,
        date=metadata.compatibility_date,
        flags=metadata.compatibility_flags,
    )
    if "problem" in answer:
        raise codes.invalid_script(answer["problem"])
    found = [
        Export(each["name"], each["kind"], each["base"], tuple(each["handlers"]))
        for each in answer["exports"]
    ]
    if not found and not upload.service_worker:
        raise codes.no_handlers()
    return found


def _refuse_date(date: str) -> None:
    try:
        day = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise codes.invalid_script(f"Invalid compatibility date: {date}") from None
    if day > datetime.now(UTC):
        raise codes.invalid_script(f"Can't set compatibility date in the future: {date}")
