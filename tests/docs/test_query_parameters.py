"""No operation of the emulator ignores a query parameter that a client sends, but those listed."""

from pathlib import Path

from tests.docs.generate_emulator_coverage import unread_by_operation
from tests.docs.query_parameters import strings_read_by

_ACCOUNT = "/accounts/{}"
_RECORDS = "/zones/{}/dns_records"
_SHADOWS = {"include_shadow_metadata"}
#: An ignored parameter changes the order of a list, or nothing that a client here would notice.
IGNORED = {
    "GET /accounts": {"direction"},
    "GET /memberships": {"direction", "order"},
    f"GET {_RECORDS}": {
        *("order", "search", "tag", "tag_match"),
        *("include_shadow_metadata", "shadowed_by_name", "shadowing_name"),
    },
    f"POST {_RECORDS}": _SHADOWS,
    **{f"{method} {_RECORDS}/{{}}": _SHADOWS for method in ("GET", "PATCH", "PUT")},
    "GET /zones": {"direction", "match", "order"},
    f"GET {_ACCOUNT}/containers/applications": {"image", "name", "page_token"},
    f"GET {_ACCOUNT}/r2/buckets": {"cursor", "direction", "name_contains", "order", "start_after"},
    f"GET {_ACCOUNT}/storage/kv/namespaces": {"direction", "order"},
    f"DELETE {_ACCOUNT}/workers/workers/{{}}": {"force"},
    f"GET {_ACCOUNT}/workers/scripts": {"tags"},
    f"GET {_ACCOUNT}/workers/scripts/{{}}/deployments": {"page", "per_page", "since", "until"},
    f"POST {_ACCOUNT}/workers/scripts/{{}}/deployments": {"force"},
    f"GET {_ACCOUNT}/workers/scripts/{{}}/secrets/{{}}": {"url_encoded"},
    f"DELETE {_ACCOUNT}/workers/scripts/{{}}/secrets/{{}}": {"url_encoded"},
    f"GET {_ACCOUNT}/workers/scripts/{{}}/versions": {"deployable"},
}


def test_no_operation_ignores_another_query_parameter(tmp_path: Path) -> None:
    unread = unread_by_operation(tmp_path)
    others = {
        f"{operation.method} {operation.path}": sorted(more)
        for operation, names in unread.items()
        if (more := names - IGNORED.get(f"{operation.method} {operation.path}", set()))
    }
    assert others == {}, "read the parameter, refuse it, or list it in IGNORED"


class _Service:
    def handle(self) -> object:
        return self.read("page") or _near("name")

    def read(self, name: str) -> str:
        return name + "order"


def _near(name: str) -> str:
    return name


def test_strings_of_a_handler_and_its_methods_are_read() -> None:
    assert {"page", "name", "order"} <= strings_read_by(_Service().handle)
