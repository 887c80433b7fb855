"""Give a project's TypeScript the runtime library, under the names that its documentation uses.

esbuild finds these names by itself (`render/bundle.mjs`). `tsc` and editors look for a package in
`node_modules`. npm removes it from there, because no `package.json` names it.
"""

import shutil
from pathlib import Path
from typing import Final

from flowflare import library

#: The runtime library's package in a project.
PACKAGE: Final = "node_modules/@b-i-g-g-i-d-e-a/flowflare"


def install_runtime_types(root: Path) -> bool:
    """Copy the runtime library of this release into a project's `node_modules`.

    Returns:
        whether it was copied; False if the package is a symbolic link.

    Raises:
        OSError: the package cannot be written.
    """
    target = root / PACKAGE
    if target.is_symlink():
        return False
    draft = target.with_name(".flowflare-new")
    shutil.rmtree(draft, ignore_errors=True)
    ignored = shutil.ignore_patterns("node_modules")
    shutil.copytree(library.folder("worker_src") / "flowflare", draft, ignore=ignored)
    shutil.rmtree(target, ignore_errors=True)
    draft.replace(target)
    return True
