"""Read a client's static assets: the files with their hashes, and Cloudflare's rule files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from flowflare.errors import RenderError
from flowflare.kinds.script_assets.session import hash_file
from flowflare.model.client import AssetsSpec
from flowflare.reading.boundary import is_outside
from flowflare.reading.files import read_bytes, read_text
from flowflare.render import packages
from flowflare.render.asset_ignore import compile_ignored

_IGNORE: Final = ".assetsignore"
_HEADERS, _REDIRECTS = "_headers", "_redirects"
#: Like wrangler, refuse it unless there is an `.assetsignore`, which decides.
_SERVER_CODE: Final = "_worker.js"
#: Cloudflare's limit for one file (developers.cloudflare.com/workers/platform/limits).
_LARGEST: Final = 25 * 1024 * 1024


@dataclass(frozen=True)
class RenderedAssets:
    """The static assets of a client.

    Attributes:
        manifest: the hash of each file by its path in URLs, sorted.
        rules: the texts of `_headers` and `_redirects`, as far as they exist.
    """

    manifest: Mapping[str, str]
    rules: Mapping[str, str]


def read_assets(spec: AssetsSpec, client: str, root: Path) -> RenderedAssets:
    """Read a client's folder, without the files that `.assetsignore` names.

    Args:
        spec: the client's static assets.
        client: the client's name, for messages.

    Raises:
        RenderError: the folder is missing, or a file cannot be uploaded.
    """
    folder = root / spec.directory
    if not folder.is_dir():
        if packages.read_mode() != "required":
            marker = packages.describe_missing_folder(spec.directory, root)
            return RenderedAssets({marker: ""}, {})
        message = f"client `{client}`: there is no folder {spec.directory!r} with its assets"
        raise RenderError(message, remedy="Create it, or run the build that writes it.")
    has_ignore_file = (folder / _IGNORE).is_file()
    is_ignored = compile_ignored(read_text(folder / _IGNORE) if has_ignore_file else "")
    manifest, problems = {}, []
    for file in _list_files(folder):
        name = file.relative_to(folder).as_posix()
        if is_ignored(name):
            continue
        problem = _find_problem(file, root)
        if name.startswith(_SERVER_CODE) and not has_ignore_file:
            problem = "is server code of Cloudflare Pages, which everybody could read"
        if problem:
            problems.append(f"client `{client}`: {spec.directory}/{name} {problem}")
            continue
        # As wrangler does with `encodeURIComponent`.
        path = "".join(f"/{quote(part, safe='!~*()')}" for part in name.split("/"))
        path = path.replace("%27", "'")
        manifest[path] = hash_file(name, read_bytes(file))
    if problems:
        raise RenderError("\n".join(problems), remedy=f"Name such files in {_IGNORE}.")
    rules = {
        name: read_text(folder / name)
        for name in (_HEADERS, _REDIRECTS)
        if (folder / name).is_file()
    }
    return RenderedAssets(dict(sorted(manifest.items())), rules)


def _list_files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if not path.is_dir())


def _find_problem(file: Path, root: Path) -> str:
    if is_outside(file, root):
        return "leads out of the project"
    if not file.is_file():
        return "is not a file"
    size = file.stat().st_size
    return f"has {size:,} bytes, and Cloudflare takes at most 25 MiB" if size > _LARGEST else ""
