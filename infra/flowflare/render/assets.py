"""Read a client's static assets: the files with their hashes, and Cloudflare's rule files."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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

_IGNORE: Final = ".assetsignore"
_HEADERS, _REDIRECTS = "_headers", "_redirects"
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
    is_ignored = _read_ignored(folder)
    manifest, problems = {}, []
    for file in _list_files(folder):
        name = file.relative_to(folder).as_posix()
        if is_ignored(name):
            continue
        problem = _find_problem(file, root)
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


def _read_ignored(folder: Path) -> Callable[[str], bool]:
    """Return whether a file is not uploaded, by its path below the folder.

    The patterns of `.assetsignore` are those of `.gitignore`; the last one that matches decides.
    """
    lines = read_text(folder / _IGNORE).splitlines() if (folder / _IGNORE).is_file() else []
    patterns = [
        (_compile(line.removeprefix("!")), not line.startswith("!"))
        for line in map(str.strip, lines)
        if line and not line.startswith("#")
    ]
    own = (_IGNORE, _HEADERS, _REDIRECTS)

    def is_ignored(name: str) -> bool:
        matching = [ignores for pattern, ignores in patterns if pattern.fullmatch(name)]
        return name in own or (matching[-1] if matching else False)

    return is_ignored


_TOKENS: Final = re.compile(r"\*\*/|/\*\*|\*|\?|[^*?]+")


def _compile(line: str) -> re.Pattern[str]:
    """Compile a line of `.gitignore` to a pattern for the files that it covers."""
    is_anchored = "/" in line.rstrip("/")
    words = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    tokens: Sequence[str] = _TOKENS.findall(line.strip("/"))
    body = "".join(words.get(token) or re.escape(token) for token in tokens)
    end = "/.*" if line.endswith("/") else "(?:/.*)?"
    return re.compile(("" if is_anchored else "(?:.*/)?") + body + end)
