"""Cache bundles in the project, by the content of all their inputs."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from flowflare.config.files import private_folder
from flowflare.model.code_module import CodeModule
from flowflare.reading.files import read_bytes, read_text
from flowflare.reading.json_text import parse_json

#: Locates a bundle's input on disk by its recorded name. A name that ends in `/` stands for a
#: folder's listing.
Locate = Callable[[str], Path]


@dataclass(frozen=True)
class Bundle:
    """One ES module with everything it imports.

    Attributes:
        content: the JavaScript.
        exports: names of the module's exports, sorted.
        modules: the files that it imports as modules of their own, sorted by name.
        source_map: its source map as JSON; empty if none was asked for.
    """

    content: str
    exports: tuple[str, ...]
    modules: tuple[CodeModule, ...] = ()
    source_map: str = ""


def hash_parts(*parts: str) -> str:
    """Return the SHA-256 of the parts and of the boundaries between them."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class BundleCache:
    """The bundles of one project, in `.flowflare/cache/bundles`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / ".flowflare" / "cache" / "bundles"

    def find(self, key: str, locate: Locate) -> Bundle | None:
        """Return the bundle stored under the key, unless an input has changed since."""
        try:
            stored = parse_json(read_text(self._file(key)))
            inputs: Mapping[str, str] = stored["inputs"]
            if _hash_inputs(inputs, locate) != inputs:
                return None
            return Bundle(
                stored["content"],
                tuple(stored["exports"]),
                tuple(CodeModule(**module) for module in stored["modules"]),
                stored["source_map"],
            )
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            return None  # unreadable: bundle it again

    def store(self, key: str, bundle: Bundle, inputs: Iterable[str], locate: Locate) -> None:
        """Store a bundle with its inputs' hashes, atomically."""
        private_folder(self._root)
        self._folder.mkdir(parents=True, exist_ok=True)
        entry = {"inputs": _hash_inputs(inputs, locate), **asdict(bundle)}
        with tempfile.NamedTemporaryFile(
            "w", dir=self._folder, suffix=".tmp", delete=False, encoding="utf-8"
        ) as file:
            json.dump(entry, file)
        os.replace(file.name, self._file(key))  # noqa: PTH105 -- the name is NamedTemporaryFile's

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def _hash_inputs(inputs: Iterable[str], locate: Locate) -> dict[str, str]:
    hashes = {}
    for name in sorted(inputs):
        path = locate(name)
        content = _list_folder(path) if name.endswith("/") else _read(path)
        hashes[name] = hashlib.sha256(content).hexdigest()
    return hashes


def _read(path: Path) -> bytes:
    return read_bytes(path) if path.is_file() else b""


def _list_folder(folder: Path) -> bytes:
    """List the names in a folder, without hidden ones, where tools keep their caches."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 -- only names, and hundreds of them
    except OSError:
        return b""
    return json.dumps(sorted(name for name in names if not name.startswith("."))).encode()
