"""`flowflare comment` refuses an untrusted job's report, or makes an inert comment of it."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.errors import CommentError
from flowflare.review import html, markdown
from flowflare.review.comment.post import CommentRequest, post
from flowflare.review.comment.received import read_report
from flowflare.review.comment.target import make_target as target_of
from flowflare.review.comment.target import replace_head
from tests.review.hostile.readers import acting_in_comment, acting_in_page
from tests.review.hostile.reports import RICH, replace_texts
from tests.review.hostile.words import WORDS, texts
from tests.support.examples import draw_examples
from tests.unit.review.comment.conftest import Clock
from tests.unit.review.comment.forge import BOT, TOKEN, Forge, serving

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/reference/schemas/flowflare.report.schema.json").read_text(
        encoding="utf-8"
    )
)
HEAD = "2" * 40
NUMBERS = st.sampled_from([-1, 0, 2**53, 10**30, 10**400, 1e308, -0.0, 0.5, True])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List each position in a value, as the keys that lead there."""
    if path:
        yield path
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in inside:
            yield from places(item, (*path, key))


PLACES = list(places(RICH))


def with_value(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Make the report with another value at one position."""
    made = copy.deepcopy(RICH)
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made


@draw_examples(300)
@given(st.sampled_from(PLACES), VALUES)
def test_any_value_at_any_position_is_refused_or_inert(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[Any, ...], value: Any
) -> None:
    file = tmp_path_factory.getbasetemp() / "received.json"
    file.write_text(json.dumps(with_value(path, value)), encoding="utf-8")
    try:
        report = read_report(file)
    except CommentError:
        return
    assert acting_in_comment(markdown.render(report, max_size=60_000)) == []
    assert acting_in_page(html.render(report)) == []


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_hostile_reports_that_follow_the_schema_become_inert_comments(
    tmp_path: Path, service: str
) -> None:
    words = list(WORDS.values())
    counted = iter(range(1_000_000))
    value = replace_texts(RICH, lambda _: words[next(counted) % len(words)])
    value["head"]["sha"] = HEAD
    jsonschema_rs.validate(SCHEMA, value)
    file = tmp_path / "report.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    with serving() as forge:
        forge.head = HEAD
        body = post_report(forge, service, file)
    first, _, rest = body.partition("\n")
    assert first == f"<!-- flowflare-comment plan head={HEAD} run=0.0 -->"
    assert not [line for line in rest.splitlines() if line.lstrip().startswith("/")]
    plan = rest.removeprefix("<!-- flowflare-plan -->\n").replace("\u200b/", "/")
    assert acting_in_comment(plan) == []


def post_report(forge: Forge, service: str, file: Path) -> str:
    """Post a report, and return the comment."""
    environment = {"GITHUB_API_URL": forge.url, "CI_API_V4_URL": forge.url}
    environment |= {"GITHUB_TOKEN": TOKEN, "GITLAB_TOKEN": TOKEN}
    kind = "github" if service == "github" else "gitlab"
    target = replace_head(target_of(kind, "acme/shop", 7, environment), HEAD)
    post(CommentRequest(file), target, environment, pace=Clock().pace, settle=0)
    (body,) = forge.by(BOT)
    return body
