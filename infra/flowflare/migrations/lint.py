"""Finds what D1 would refuse and what would lose data in migrations, before any of them runs.

Pure: files in, findings out. What tables exist is known from the files themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flowflare.migrations.accepts import Accepts
from flowflare.migrations.files import Migration
from flowflare.migrations.findings import RULES, Finding
from flowflare.migrations.rules import Hit, Scene, hits
from flowflare.migrations.rules.scene import ident, name_of, target
from flowflare.migrations.schema import LEDGER_TABLES, ForeignKey, Schema
from flowflare.migrations.statements import Statement, pieces, syntax_problem
from flowflare.migrations.syntax import LONGEST, Node, parse

# What SQLite says where it is only another SQLite than D1's.
_NOT_D1S = ("no such module", "syntax error", "interrupted", "no such function", *LEDGER_TABLES)


@dataclass(frozen=True)
class _Hit:
    statement: Statement
    hit: Hit


def lint(migrations: Sequence[Migration], *, applied: int = 0) -> tuple[Finding, ...]:
    """The findings of the files after the first `applied`, in the order of the files.

    Args:
        migrations: all files, in order; the applied ones tell what tables there are.
        applied: how many of them, from the first, were applied already.
    """
    return _linted(tuple((one, one.windows) for one in migrations), applied)


@lru_cache(maxsize=64)
def _linted(files: tuple[tuple[Migration, bool], ...], applied: int) -> tuple[Finding, ...]:
    """Remembered: every stack of a project has the same files; `windows` is no part of equality."""
    migrations = [migration for migration, _ in files]
    cut = [pieces(migration.sql) for migration in migrations]
    nodes = iter(parse([one.text for file in cut[applied:] for one in file if one.text]))
    found: list[Finding] = []
    with Schema() as schema:
        for index, (migration, file) in enumerate(zip(migrations, cut, strict=True)):
            if index < applied:
                for one in file:
                    schema.apply(one.text)
                continue
            parsed = [(one, next(nodes)) for one in file if one.text]
            scene = Scene(schema, windows=migration.windows)
            hit = list(_file_hits(parsed, scene))
            accepts = Accepts(file, migration.name)
            ordered = sorted(hit, key=lambda one: one.statement.line)
            findings = [_finding(migration, each, accepts) for each in ordered]
            findings += accepts.findings()
            found += sorted(findings, key=lambda one: one.line)
    return tuple(found)


def _file_hits(parsed: Sequence[tuple[Statement, Node | str]], scene: Scene) -> Iterator[_Hit]:
    if not parsed:
        message = "the file has no statement; a file that was applied cannot be filled later"
        yield _Hit(
            Statement("", 1), Hit("empty-migration", message, "Write the SQL, or delete it.")
        )
        return
    before = scene.schema.keys_without_index()
    for statement, node in parsed:
        for hit in _statement_hits(statement, node, scene):
            yield _Hit(statement, hit)
    for key in scene.schema.keys_without_index():
        if key not in before:
            yield _Hit(_maker(parsed, key), _unindexed(key))
    last = parsed[-1][0]
    if not last.text.endswith(";"):
        message = "the last statement has no semicolon, and wrangler writes its own INSERT after it"
        yield _Hit(last, Hit("unterminated-statement", message, "End it with a semicolon."))


def _statement_hits(statement: Statement, node: Node | str, scene: Scene) -> Iterator[Hit]:
    if isinstance(node, str):
        yield _unparsed(statement, node)
        scene.schema.apply(statement.text)
        return
    yield from hits(node, scene)
    scene.note(node)
    if node.get("temporary", "NONE") == "NONE":
        refusal = scene.schema.apply(statement.text)
        if refusal and not any(words in refusal for words in _NOT_D1S):
            yield Hit(
                "does-not-apply",
                f"after the files before it, SQLite says: {refusal}",
                "Correct the statement, or the file that should have made what it needs.",
            )


def _unparsed(statement: Statement, why: str) -> Hit:
    if why == "long":
        count = len(statement.text.encode("utf-8", "replace"))
        message = f"the statement has {count:,} bytes, and D1 takes {LONGEST:,}"
        return Hit("statement-too-long", message, "Split it: several INSERTs of fewer rows.")
    if why == "deep":
        message = "the statement is nested deeper than D1 takes (100 levels of an expression)"
        return Hit("too-deep", message, "Split it into several statements.")
    said = syntax_problem(statement.text)
    message = f"SQLite cannot read this{f' ({said})' if said else ''}"
    return Hit("syntax-error", message, "Correct it; the grammar is at sqlite.org/lang.html.")


def _unindexed(key: ForeignKey) -> Hit:
    columns = ", ".join(key.columns)
    return Hit(
        "missing-foreign-key-index",
        f"{key.child} ({columns}) refers to {key.parent} without an index: deleting or updating "
        f"a row of {key.parent} reads all of {key.child}, and D1 bills the rows read",
        f"CREATE INDEX {key.child}_{'_'.join(key.columns)} ON {key.child} ({columns});",
    )


def _maker(parsed: Sequence[tuple[Statement, Node | str]], key: ForeignKey) -> Statement:
    """The statement that a key is from: the last one about its table."""
    child = name_of(key.child)
    for statement, node in reversed(parsed):
        if isinstance(node, str) or node["type"] not in ("CreateTableStmt", "AlterTableStmt"):
            continue
        if child in (target(node), ident(node.get("new_name"))):
            return statement
    return parsed[0][0]


def _finding(migration: Migration, one: _Hit, accepts: Accepts) -> Finding:
    hit, statement = one.hit, one.statement
    return Finding(
        rule=hit.rule,
        severity=RULES[hit.rule].severity,
        file=migration.name,
        line=statement.line,
        statement=statement.text.partition("\n")[0][:120],
        message=hit.message,
        remedy=hit.remedy,
        accepted=accepts.reason(hit.rule, statement),
    )
