"""Find sentences and names that do not read as plain technical English.

Reads what people read: comments, docstrings, strings and names of Python; comments and strings of
JavaScript, TypeScript and SQL; the text of templates and Markdown. Code blocks in Markdown are
skipped. The habits are those that CONTRIBUTING.md warns of, each with what to write instead.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.syntax import list_nodes

THINGS = (
    "Workers?|scripts?|stacks?|tenants?|services?|clients?|processe?s?|runs?|calls?|requests?"
    "|commands?|programs?|modules?|functions?|files?|objects?|databases?|resources?|providers?"
)
#: What is found in a text, and what to write instead.
HABITS: dict[str, tuple[re.Pattern[str], str]] = {
    "is no <noun>": (
        re.compile(r"(?<!here )\b(?:is|are|was|were|be) (?:no(?! longer\b| more than\b)|none)\b"),
        "negate the verb: 'is not a valid ID'",
    ),
    "somebody": (
        re.compile(r"\b(?:some|no|any)body\b|\bwhoever\b|\bwhomever\b", re.I),
        "name the person, program or request",
    ),
    "stands": (
        re.compile(r"\b(?:stands|stood)\b(?! for\b)|\b(?:lies|lie)\b(?! about\b)", re.I),
        "is set, is stored, is",
    ),
    "told": (re.compile(r"\b(?:tells|told)\b", re.I), "report, receive, say"),
    "goes on": (
        re.compile(r"\b(?:go|goes|going|went|gone) on\b(?! to\b)", re.I),
        "continue, resume",
    ),
    "left out": (re.compile(r"\b(?:left|leaves?|leaving) out\b", re.I), "skip, omit"),
    "who for a thing": (
        re.compile(rf"\b(?:{THINGS}) who\b|(?:^|[.;:] )Who (?:has|is|does|wants)\b"),
        "which, that",
    ),
    "None where": (
        re.compile(r"\b(?:None|null|undefined|True|False|empty) where\b"),
        "None if",
    ),
}
#: Names of functions that describe a result instead of naming an action.
IRREGULAR = frozenset(
    {
        *("begun", "bound", "built", "chosen", "done", "drawn", "found", "given", "gone", "held"),
        *("kept", "known", "left", "made", "meant", "said", "seen", "sent", "shown", "taken"),
        *("told", "written"),
    }
)
#: Verbs that look like participles, and the handler that Workers define for cron triggers.
NO_PARTICIPLES = frozenset({"embed", "exceed", "feed", "need", "proceed", "seed", "scheduled"})
STAND_INS = frozenset({"one"})

#: The comments and strings of Python; a tokenizer reads them ten times slower.
_PYTHON = re.compile(
    r"#[^\n]*|\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
    re.S,
)
_SCRIPT = re.compile(
    r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`", re.S
)
_SCRIPT_NAME = re.compile(
    r"\bfunction\*? +(\w+)|\b(?:const|let) (\w+) = (?:async )?\([^()\n]*\) =>"
    r"|^ +(?:static |async |#)*(\w+)\([^()\n]*\) \{$",
    re.M,
)
_SCRIPT_LOOP = re.compile(r"\bfor (?:await )?\((?:const|let) (\w+) (?:of|in)\b")
_SQL = re.compile(r"--[^\n]*")
_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.S | re.M)
_INLINE = re.compile(r"``.+?``|`[^`\n]+`|\]\([^)]*\)|<[^>\n]+>")
_SPACES = str.maketrans("\n\r\t", "   ")
_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.S)


@dataclass(frozen=True)
class Finding:
    """Describe one place that reads badly."""

    path: str
    line: int
    habit: str
    text: str

    def __str__(self) -> str:
        advice = HABITS[self.habit][1] if self.habit in HABITS else "name what it does or holds"
        return f"{self.path}:{self.line}: {self.habit} ({advice}): {self.text}"


def find_habits(text: str) -> Iterator[tuple[str, int, str]]:
    """Find the habits in a text: each with its offset and the words around it."""
    flat = text.translate(_SPACES)
    for habit, (pattern, _) in HABITS.items():
        for match in pattern.finditer(flat):
            start, end = max(0, match.start() - 30), match.end() + 30
            yield habit, match.start(), " ".join(flat[start:end].split())


def describes_result(name: str) -> bool:
    """Return whether a function's name is a past participle, such as `kept` or `_opened`."""
    word = name.strip("_#")
    if word in NO_PARTICIPLES or "_" in word:
        return False
    return word in IRREGULAR or re.fullmatch(r"[a-z]{2,}ed", word) is not None


def read_file(path: Path, shown: str) -> list[Finding]:
    """Find the habits of one file.

    Args:
        path: the file.
        shown: its path in the findings.
    """
    source = path.read_text("utf-8")
    suffix = ".py" if path.name.endswith(".py.j2") else path.suffix
    if suffix == ".py":
        nodes = list_nodes(path)
        parts, names = _read_python(source, nodes), _python_names(nodes)
    else:
        parts, names = _READERS[suffix](source), _script_names(source)
    return [
        Finding(shown, line + text[:offset].count("\n"), habit, words)
        for line, text in parts
        for habit, offset, words in find_habits(text)
    ] + [Finding(shown, line, habit, name) for line, habit, name in names]


def _read_python(source: str, nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")
    yield from _join_lines(
        [
            (source.count("\n", 0, match.start()) + 1, match.group().lstrip("#: "))
            for match in _PYTHON.finditer(source)
            if match.group().startswith("#")
        ]
    )


def _join_lines(comments: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join the lines of one comment, so that a phrase may continue on the next line."""
    start, text = 0, ""
    for line, words in comments:
        if text and line == start + text.count("\n") + 1:
            text += f"\n{words}"
            continue
        if text:
            yield start, text
        start, text = line, words
    if text:
        yield start, text


def _read_script(source: str) -> Iterator[tuple[int, str]]:
    comments: list[tuple[int, str]] = []
    for match in _SCRIPT.finditer(source):
        line, text = source.count("\n", 0, match.start()) + 1, match.group()
        if text.startswith("//"):
            comments.append((line, text.lstrip("/ ")))
        elif text.startswith("/*"):
            yield line, re.sub(r"(?m)^\s*/?\*+/?", " ", text)
        elif " " in text:
            yield line, text
    yield from _join_lines(comments)


def _read_sql(source: str) -> Iterator[tuple[int, str]]:
    yield from _join_lines(
        [
            (source.count("\n", 0, match.start()) + 1, match.group().lstrip("- "))
            for match in _SQL.finditer(source)
        ]
    )


def _read_text(source: str) -> Iterator[tuple[int, str]]:
    def blank(match: re.Match[str]) -> str:
        return "\n" * match.group().count("\n") or "`"

    yield 1, _INLINE.sub(blank, _FENCE.sub(blank, _JINJA.sub(blank, source)))


def _python_names(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str, str]]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if describes_result(node.name):
                yield node.lineno, "participle as a function", node.name
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            target = node.target
            if isinstance(target, ast.Name) and target.id in STAND_INS:
                yield target.lineno, "stand-in as a loop variable", target.id


def _script_names(source: str) -> Iterator[tuple[int, str, str]]:
    for match in _SCRIPT_NAME.finditer(source):
        name = next(group for group in match.groups() if group)
        if describes_result(name):
            line = source.count("\n", 0, match.start()) + 1
            yield line, "participle as a function", name
    for match in _SCRIPT_LOOP.finditer(source):
        if match[1] in STAND_INS:
            line = source.count("\n", 0, match.start()) + 1
            yield line, "stand-in as a loop variable", match[1]


_READERS = {
    ".js": _read_script,
    ".mjs": _read_script,
    ".ts": _read_script,
    ".sql": _read_sql,
    ".md": _read_text,
    ".j2": _read_text,
}
SUFFIXES = (".py", *_READERS)
