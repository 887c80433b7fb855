"""Find statements in migrations that D1 would refuse or that would lose data, before they run.

Nothing here has side effects. The files themselves say which tables exist.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flowflare.migrations.accepts import Accepts
from flowflare.migrations.files import Migration, order_key, read_number
from flowflare.migrations.findings import LOSING_RULES, RULES, Finding
from flowflare.migrations.rules import FileScene, Hit, check_rules
from flowflare.migrations.rules.scene import normalise_name, read_identifier, read_target
from flowflare.migrations.schema import LEDGER_TABLES, ForeignKey, Schema, is_over_limit
from flowflare.migrations.statements import Statement, find_syntax_problem, split_pieces
from flowflare.migrations.syntax import LONGEST, Node, parse

# Errors of the local SQLite where it differs from D1's.
_NOT_D1S = ("no such module", "syntax error", "interrupted", "no such function", *LEDGER_TABLES)


#: What a finding about the file as a whole is about.
_FILE = Statement("", 1)


@dataclass(frozen=True)
class _StatementHit:
    statement: Statement
    hit: Hit


def lint(migrations: Sequence[Migration], *, applied: int = 0) -> tuple[Finding, ...]:
    """Check the files after the first `applied`, and return the findings in order of the files.

    Args:
        migrations: all files, in order; the applied files say which tables exist.
        applied: how many of the first files were applied already.
    """
    return _lint(tuple((file, file.windows) for file in migrations), applied)


@lru_cache(maxsize=64)
def _lint(files: tuple[tuple[Migration, bool], ...], applied: int) -> tuple[Finding, ...]:
    """Cached, because every stack of a project has the same files. Equality ignores `windows`."""
    migrations = [migration for migration, _ in files]
    cut = [split_pieces(migration.sql) for migration in migrations]
    nodes = iter(parse([piece.text for file in cut[applied:] for piece in file if piece.text]))
    found: list[Finding] = []
    with Schema() as schema:
        for index, (migration, file) in enumerate(zip(migrations, cut, strict=True)):
            if index < applied:
                for piece in file:
                    schema.apply(piece.text)
                continue
            parsed = [(piece, next(nodes)) for piece in file if piece.text]
            scene = FileScene(schema, windows=migration.windows)
            hit = [*_check_name(migrations, index, applied), *_check_file(parsed, scene)]
            accepts = Accepts(file, migration.name)
            ordered = sorted(hit, key=lambda each: each.statement.line)
            findings = [_make_finding(migration, each, accepts) for each in ordered]
            findings += accepts.findings()
            found += sorted(findings, key=lambda finding: finding.line)
    return tuple(found)


def _check_name(files: Sequence[Migration], index: int, applied: int) -> Iterator[_StatementHit]:
    """Check where a pending file comes in wrangler's order."""
    file = files[index]
    number = read_number(file.name)
    twins = [
        other.name
        for at, other in enumerate(files)
        if number and read_number(other.name) == number and (at < index or applied > at)
    ]
    if twins:
        names = ", ".join(twins)
        message = f"{names} also starts with {number}, so the rest of the name decides the order"
        remedy = "Give the file the next free number, if it was applied nowhere yet."
        yield _StatementHit(_FILE, Hit("number-used-twice", message, remedy))
    last = max((done.name for done in files[:applied]), key=order_key, default="")
    if last and order_key(file.name) < order_key(last):
        message = f"{last} was applied already, and sorts after it: it runs later than in order"
        remedy = "Check that it fits, or give it a number after the applied ones."
        yield _StatementHit(_FILE, Hit("out-of-order", message, remedy))


def _check_file(
    parsed: Sequence[tuple[Statement, Node | str]], scene: FileScene
) -> Iterator[_StatementHit]:
    if not parsed:
        message = "the file has no statement, and cannot be filled after it was applied"
        yield _StatementHit(_FILE, Hit("empty-migration", message, "Write the SQL, or delete it."))
        return
    before = scene.schema.keys_without_index()
    for statement, node in parsed:
        for hit in _check_statement(statement, node, scene):
            yield _StatementHit(statement, hit)
    for key in scene.schema.keys_without_index():
        if key not in before:
            yield _StatementHit(_find_maker(parsed, key), _make_unindexed(key))
    last = parsed[-1][0]
    if not last.text.endswith(";"):
        message = "the last statement has no semicolon, and wrangler appends its own INSERT"
        yield _StatementHit(
            last, Hit("unterminated-statement", message, "End it with a semicolon.")
        )


def _check_statement(statement: Statement, node: Node | str, scene: FileScene) -> Iterator[Hit]:
    if isinstance(node, str):
        yield _make_unparsed(statement, node)
        scene.schema.apply(statement.text)
        return
    hits = list(check_rules(node, scene))
    yield from hits
    scene.note(node)
    if node.get("temporary", "NONE") != "NONE":
        scene.schema.skip(statement.text)
        return
    refusal = scene.schema.refusal(statement.text)
    others = [RULES[hit.rule].severity for hit in hits if hit.rule not in LOSING_RULES]
    if refusal is None or "error" in others or any(words in refusal for words in _NOT_D1S):
        return
    if not scene.schema.is_unknown(refusal):
        yield _make_refused(refusal)


def _make_refused(refusal: str) -> Hit:
    if is_over_limit(refusal):
        message = f"D1's limits are lower than SQLite's own: {refusal}"
        remedy = "Split it; the limits are at developers.cloudflare.com/d1/platform/limits."
        return Hit("does-not-apply", message, remedy, is_certain=True)
    return Hit(
        "does-not-apply",
        f"after the earlier files, SQLite says: {refusal}",
        "Correct the statement, or the file that should have created what it needs.",
    )


def _make_unparsed(statement: Statement, why: str) -> Hit:
    if why == "long":
        count = len(statement.text.encode("utf-8", "replace"))
        message = f"the statement has {count:,} bytes, but D1 accepts {LONGEST:,}"
        return Hit("statement-too-long", message, "Split it: several INSERTs of fewer rows.")
    if why == "deep":
        message = "the statement is nested deeper than D1 accepts (100 levels of an expression)"
        return Hit("too-deep", message, "Split it into several statements.")
    said = find_syntax_problem(statement.text)
    message = f"SQLite cannot read this{f' ({said})' if said else ''}"
    return Hit("syntax-error", message, "Correct it; the grammar is at sqlite.org/lang.html.")


def _make_unindexed(key: ForeignKey) -> Hit:
    columns = ", ".join(key.columns)
    return Hit(
        "missing-foreign-key-index",
        f"{key.child} ({columns}) refers to {key.parent} without an index: deleting or updating "
        f"a row of {key.parent} reads all of {key.child}, and D1 bills rows read",
        f"CREATE INDEX {key.child}_{'_'.join(key.columns)} ON {key.child} ({columns});",
    )


def _find_maker(parsed: Sequence[tuple[Statement, Node | str]], key: ForeignKey) -> Statement:
    """Find the statement that created a key: the last one about its table."""
    child = normalise_name(key.child)
    for statement, node in reversed(parsed):
        if isinstance(node, str) or node["type"] not in ("CreateTableStmt", "AlterTableStmt"):
            continue
        if child in (read_target(node), read_identifier(node.get("new_name"))):
            return statement
    return parsed[0][0]


def _make_finding(migration: Migration, found: _StatementHit, accepts: Accepts) -> Finding:
    hit, statement = found.hit, found.statement
    return Finding(
        rule=hit.rule,
        severity="error" if hit.is_certain else RULES[hit.rule].severity,
        file=migration.name,
        line=statement.line,
        statement=statement.text.partition("\n")[0][:120],
        message=hit.message,
        remedy=hit.remedy,
        accepted=accepts.reason(hit.rule, statement),
    )
