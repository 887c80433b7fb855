"""Rendering JavaScript: which values are possible, and what a template must not do."""

import json
from pathlib import Path

import pytest

from flowflare.errors import RenderError
from flowflare.render.templates import JavaScript, render, write_js


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
    assert write_js(value) == literal
    assert json.loads(write_js(value)) == value


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
def test_an_invalid_template_is_named_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(RenderError) as caught:
        render("own.js.j2", {"a": "x"}, root=template(tmp_path, text))
    assert message in caught.value.message


def test_a_missing_template_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"nowhere\.js\.j2"):
        render("nowhere.js.j2", {}, root=tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ | js }}",
        "{{ ''['__class__'] | js }}",
        "{{ a | attr('__class__') | js }}",
        "{{ a.format.__globals__ | js }}",
        "{{ '{0.__class__.__mro__}'.format(a) | js }}",
        "{{ code.format_map({'a': a}).__class__ | js }}",
        "{{ lipsum.__globals__ | js }}",
        "{{ lipsum.__globals__['os'].environ | js }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() | js }}",
        "{{ joiner.__init__.__globals__ | js }}",
        "{{ namespace.__init__ | js }}",
        "{{ self.__init__ | js }}",
        "{{ self._TemplateReference__context.environment | js }}",
        "{{ missing.__class__ | js }}",
        "{{ [a] | map(attribute='__class__') | list | js }}",
        "{{ [a] | map('attr', '__class__') | list | js }}",
        "{% set taken = options.pop('debug') %}{{ taken | js }}",
        "{{ options.update({'debug': true}) | js }}",
        "{{ ''.join.__self__.__class__ | js }}",
        "{{ (options.keys)().__class__ | js }}",
    ],
)
def test_a_template_cannot_access_python_behind_its_values(tmp_path: Path, text: str) -> None:
    root = template(tmp_path, text)
    options = {"debug": False}
    context = {"a": "x", "code": JavaScript("run(a);"), "options": options}
    with pytest.raises(RenderError) as refused:
        render("own.js.j2", context, root=root)
    assert "own.js.j2:1" in refused.value.message
    assert options == {"debug": False}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ ('a' * 10 ** 9) | js }}", "repeats something more than 1,000,000 times"),
        ("{{ (9 ** 9 ** 9 ** 9 ** 9) | js }}", "has more than 10,000 bits"),
        ("{{ (1 / 0) | js }}", "division by zero"),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "calls itself endlessly"),
        ("{% include 'own.js.j2' %}", "includes or calls itself endlessly"),
        ("{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " | js }}", "nested too deeply"),
        ("{% include '../../Pulumi.yaml' %}", "template '../../Pulumi.yaml' does not exist"),
    ],
)
def test_a_template_that_fails_or_never_ends_is_refused_with_its_name(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(RenderError, match=r"own\.js\.j2") as refused:
        render("own.js.j2", {}, root=template(tmp_path, text))
    assert message in refused.value.message
