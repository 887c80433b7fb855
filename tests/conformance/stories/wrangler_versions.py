"""wrangler uploads versions, deploys them gradually, and rolls back."""

from tests.conformance.rows import Answers, Call, Client, Prints, Seen, Story, works
from tests.conformance.stories.workers import HELLO, MODULE, VERSIONED, config, upload

_DEPLOYED = "/workers/scripts/app/deployments"
_SHARES = "deployments.0.versions.*.percentage"
_IDS = {"new": "items.0.id", "old": "items.1.id"}
_TWO_VERSIONS = (
    upload("app"),
    Call("POST /workers/scripts/app/versions", MODULE, script=VERSIONED),
    Call("GET /workers/scripts/app/versions", save=_IDS),
)
_OBSERVED = config("app", observability={"enabled": True})


def _stories(config_text: str, title: str) -> Story:
    return Story(
        title,
        Client.WRANGLER,
        (
            works("versions deploy {new}@60% {old}@40% -y", Seen(_DEPLOYED, _SHARES, [60, 40])),
            works("versions deploy {new}@20% {old}@80% -y", Seen(_DEPLOYED, _SHARES, [20, 80])),
            works(
                "versions deploy {new}@100% -y",
                Answers("app", "two"),
                Seen(_DEPLOYED, _SHARES, [100]),
            ),
            works("versions deploy {new}@0% {old}@100% -y", Answers("app", "hello")),
            works("rollback {new} -y", Answers("app", "two"), Seen(_DEPLOYED, _SHARES, [100])),
            works("deployments status", Prints("{new}")),
        ),
        files={"index.js": HELLO, "wrangler.json": config_text},
        prepare=_TWO_VERSIONS,
    )


_UPLOADS = Story(
    "versions",
    Client.WRANGLER,
    (
        works(
            "versions upload --tag t1 --message first",
            Answers("app", "hello"),
            Seen("/workers/scripts/app/versions", "items.0.annotations.workers/tag", "t1"),
        ),
        works("versions list", Prints("t1")),
        works("versions list --json", Prints("workers/tag")),
        works("versions view {old}", Prints("{old}")),
        works("versions deploy {new}@100% -y", Answers("app", "two")),
    ),
    files={"index.js": HELLO, "wrangler.json": config("app")},
    prepare=_TWO_VERSIONS,
)
_VERSION_SECRETS = Story(
    "secrets of versions",
    Client.WRANGLER,
    (
        works(
            "versions secret put S",
            Seen("/workers/scripts/app/versions", "items.2.number", 1),
            stdin="v",
        ),
        works("versions secret list", Prints("Version")),
        works(
            "versions secret bulk s.json",
            Seen("/workers/scripts/app/versions", "items.3.number", 1),
            files={"s.json": '{"A": "1"}'},
        ),
        works(
            "versions secret delete A",
            Seen("/workers/scripts/app/versions", "items.4.number", 1),
            stdin="y",
        ),
    ),
    files={"index.js": HELLO, "wrangler.json": config("app")},
    prepare=_TWO_VERSIONS,
)
STORIES = (
    _UPLOADS,
    _stories(config("app"), "gradual deployments"),
    _stories(_OBSERVED, "gradual deployments of a Worker with observability"),
    _VERSION_SECRETS,
)
