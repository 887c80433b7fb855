"""Serve the rules of R2 buckets: lifecycle and CORS. They are stored, and not applied here."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator.envelope import Code, success
from flowflare.emulator.requests import Routes, json_object, serves
from flowflare.emulator.services.r2.store import ObjectsStore
from flowflare.emulator.services.targets.r2 import malformed

cors_missing = Code(
    404,
    10059,
    "The CORS configuration does not exist.",
    "an R2 bucket without CORS rules. It is our interpretation.",
)
_BUCKET = "/accounts/{account}/r2/buckets/{bucket}"
_METHODS = {"GET", "PUT", "POST", "DELETE", "HEAD"}
_MAX_RULES = 1000
#: What Cloudflare's reference says of new buckets: parts of uploads are removed after seven days.
_NEW_BUCKET = {
    "id": "Default Multipart Abort Rule",
    "enabled": True,
    "conditions": {"prefix": ""},
    "abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 604800}},
}
_TRANSITIONS = ("abortMultipartUploadsTransition", "deleteObjectsTransition")


class BucketRuleRoutes(Routes):
    """Serve a bucket's `lifecycle` and `cors`."""

    def __init__(self, store: ObjectsStore) -> None:
        self._store = store

    @serves("GET", _BUCKET + "/lifecycle")
    async def _get_lifecycle(self, request: Request, account: str, bucket: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        return success({"rules": found.record.get("lifecycle", [_NEW_BUCKET])})

    @serves("PUT", _BUCKET + "/lifecycle")
    async def _put_lifecycle(self, request: Request, account: str, bucket: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        rules = _read_rules(await json_object(request))
        for rule in rules:
            _check_lifecycle(rule)
        self._store.change_bucket(found, lifecycle=rules)
        return success({})

    @serves("GET", _BUCKET + "/cors")
    async def _get_cors(self, request: Request, account: str, bucket: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        if not found.record.get("cors"):
            raise cors_missing()
        return success({"rules": found.record["cors"]})

    @serves("PUT", _BUCKET + "/cors")
    async def _put_cors(self, request: Request, account: str, bucket: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        rules = _read_rules(await json_object(request))
        for rule in rules:
            _check_cors(rule)
        self._store.change_bucket(found, cors=rules)
        return success({})

    @serves("DELETE", _BUCKET + "/cors")
    async def _delete_cors(self, request: Request, account: str, bucket: str) -> Response:
        found = self._store.find_bucket(account, bucket, request.headers)
        self._store.change_bucket(found, cors=None)
        return success({})


def _read_rules(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rules without members that are null. Refusal: 10040, they are not a list."""
    rules = body.get("rules", [])
    if (
        not isinstance(rules, list)
        or len(rules) > _MAX_RULES
        or not all(isinstance(rule, dict) for rule in rules)
    ):
        raise malformed()
    return [_without_null(rule) for rule in rules]


def _without_null(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if value is not None}


def _check_lifecycle(rule: dict[str, Any]) -> None:
    conditions = rule.get("conditions")
    if (
        not isinstance(rule.get("id"), str)
        or not isinstance(rule.get("enabled"), bool)
        or not isinstance(conditions, dict)
        or not isinstance(conditions.get("prefix", ""), str)
    ):
        raise malformed()
    for name in _TRANSITIONS:
        if name in rule:
            _check_condition(rule[name])
    moves = rule.get("storageClassTransitions", [])
    if not isinstance(moves, list):
        raise malformed()
    for move in moves:
        _check_condition(move)
        if move.get("storageClass") != "InfrequentAccess":
            raise malformed()


def _check_condition(transition: Any) -> None:
    condition = transition.get("condition") if isinstance(transition, dict) else None
    match condition:
        case {"type": "Age", "maxAge": int()} | {"type": "Date", "date": str()}:
            return
        case _:
            raise malformed()


def _check_cors(rule: dict[str, Any]) -> None:
    allowed = rule.get("allowed")
    if (
        not isinstance(allowed, dict)
        or not _is_texts(allowed.get("origins"))
        or not _is_texts(allowed.get("methods"))
        or not set(allowed["methods"]) <= _METHODS
        or not _is_texts(allowed.get("headers") or [])
        or not _is_texts(rule.get("exposeHeaders") or [])
    ):
        raise malformed()


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
