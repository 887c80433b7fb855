"""Select the environment variables that the emulator and its child processes get.

These processes run for days, and must not keep the secrets of the shell that started them.
"""

import re
from collections.abc import Mapping
from typing import Final

# Tests measure coverage through COV*.
_NEEDED: Final = re.compile(
    r"PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|VIRTUAL_ENV|(PYTHON|LD_|SSL_CERT_|COV)\w*|NODE_EXTRA_CA_CERTS"
)


def needed_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Select the variables that the emulator, Node and workerd need."""
    return {name: value for name, value in environ.items() if _NEEDED.fullmatch(name)}
