"""Rendering JavaScript: what a value can be, and what a template must not do."""

import json
from pathlib import Path

import pytest

from flowflare.errors import RenderError
from flowflare.render.templates import JavaScript, js, render


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (True, "true"),
        (None, "null"),
        ('a "quote" and \\', '"a \\"quote\\" and \\\\"'),
        ("</script>", '"\\u003c/script>"'),
        ("line\u2028end", '"line\\u2028end"'),
        ({"b": [1, 2.5], "a": "ü"}, '{"a": "\\u00fc", "b": [1, 2.5]}'),
    ],
)
def test_a_value_as_a_literal(value: object, literal: str) -> None:
    assert js(value) == literal
    assert json.loads(js(value)) == value


def template(folder: Path, text: str) -> Path:
    (folder / "templates").mkdir()
    (folder / "templates" / "own.js.j2").write_text(text)
    return folder


def test_values_and_code(tmp_path: Path) -> None:
    root = template(tmp_path, "const a = {{ a | js }};\n{{ code }}\n")
    assert render("own.js.j2", {"a": "x", "code": JavaScript("run(a);")}, root=root) == (
        'const a = "x";\nrun(a);\n'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n{{ a }}", "templates/own.js.j2:2: a value enters JavaScript without the `js` filter"),
        ("\n\n{{ b | js }}", "templates/own.js.j2:3: 'b' is undefined"),
        ("\n{% if %}", "templates/own.js.j2:2: "),
    ],
)
def test_a_wrong_template_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        render("own.js.j2", {"a": "x"}, root=template(tmp_path, text))
    assert message in caught.value.message


def test_a_template_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"nowhere\.js\.j2"):
        render("nowhere.js.j2", {}, root=tmp_path)
