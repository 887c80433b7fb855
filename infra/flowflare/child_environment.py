"""Select the environment of a child process: the variables that it needs to run, without secrets.

The environment of a deployment holds API tokens, cloud keys, passphrases and the values of secret
sources. Only three kinds of children get all of it, because they must: the Pulumi CLI while it runs
a program or opens state, and the commands that `tenants.yaml` names to list tenants or to print
passphrases.
"""

from collections.abc import Mapping
from typing import Final

_NAMES: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"}
    | {"LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV"}
)
_PREFIXES: Final = ("LC_", "XDG_")
_NETWORK: Final = frozenset(
    {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK"}
)


def child_environment(
    environ: Mapping[str, str],
    *,
    names: frozenset[str] = frozenset(),
    prefixes: tuple[str, ...] = (),
    network: bool = False,
) -> dict[str, str]:
    """Select the variables that a child process needs.

    Args:
        environ: the environment to select from.
        names: more variables that this child needs.
        prefixes: prefixes of more variables that this child needs, in any case.
        network: whether it connects to other machines: proxies, certificates and the SSH agent.
    """
    wanted = _NAMES | names | (_NETWORK if network else frozenset())
    beginnings = tuple(prefix.upper() for prefix in (*_PREFIXES, *prefixes))
    return {
        name: value
        for name, value in environ.items()
        if name in wanted
        or name.upper().startswith(beginnings)
        or (network and name.upper() in _NETWORK)
    }
