"""Analyse Durable Object class migrations: the resulting classes, mistakes, and the net effect.

Nothing here has side effects. A class has one life: it is created or transferred, may be renamed,
and is deleted or continues to exist. An upload sends the net effect, because Cloudflare refuses
steps about classes that the uploaded code does not export (10070, 10074), such as old steps on a
new script.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flowflare.model.class_migrations import ClassMigration, RenamedClass, TransferredClass

Birth = Literal["before", "new", "transferred"]


@dataclass(frozen=True)
class HistoryFinding:
    """A mistake in class migrations.

    Attributes:
        step: the step's index; None if the mistake is not in a single step.
        binding: the binding that reveals it; None if there is none.
    """

    step: int | None
    binding: str | None
    message: str
    remedy: str


@dataclass
class _Life:
    """One class on its way through the class migrations."""

    birth: Birth
    first_name: str
    name: str
    named_at: int
    """The step that gave it its last name; -1 if it existed before."""
    source: TransferredClass | None = None
    ended_at: int | None = None


@dataclass
class _Course:
    """The state while class migrations are followed."""

    alive: dict[str, _Life] = field(default_factory=dict)
    lives: list[_Life] = field(default_factory=list)
    findings: list[HistoryFinding] = field(default_factory=list)
    last_words: dict[str, str] = field(default_factory=dict)
    """What happened to names that no class has any more."""

    def begin(self, life: _Life) -> None:
        self.alive[life.name] = life
        self.lives.append(life)
        self.last_words.pop(life.name, None)

    def wrong(self, step: int, message: str, remedy: str) -> None:
        self.findings.append(HistoryFinding(step, None, message, remedy))


def list_classes_after(
    history: Sequence[ClassMigration], before: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the classes that exist after the class migrations, sorted.

    Args:
        history: the steps, oldest first.
        before: the classes that existed before.
    """
    return tuple(sorted(_follow(history, before).alive))


def find_fates(history: Sequence[ClassMigration], before: Collection[str]) -> dict[str, str | None]:
    """Return what each existing class becomes: its new name, or None if it is deleted.

    Args:
        history: the pending steps, oldest first.
    """
    course = _follow(history, before)
    return {
        life.first_name: life.name if life.ended_at is None else None
        for life in course.lives
        if life.birth == "before"
    }


def list_losses(
    steps: Sequence[ClassMigration], before: Collection[str]
) -> tuple[tuple[int, str], ...]:
    """Return the steps that delete classes that may have objects: index and class, in order.

    Args:
        steps: the pending steps, oldest first.
    """
    lives = _follow(steps, before).lives
    return tuple(
        sorted(
            (life.ended_at, life.name)
            for life in lives
            if life.ended_at is not None and life.birth != "new"
        )
    )


def find_mistakes(
    history: Sequence[ClassMigration],
    *,
    bound: Mapping[str, str],
    exported: Collection[str] | None = None,
    taken: Mapping[str, str] | None = None,
) -> tuple[HistoryFinding, ...]:
    """Find all mistakes in class migrations.

    Args:
        history: all class migrations, oldest first.
        bound: the class of each Durable Object binding to the script itself, by the binding's name.
        exported: the exports of the code; None if they are not known yet.
        taken: classes that other scripts of the stack take over, with the script's name.
    """
    course = _follow(history)
    moved = dict(taken or {})
    findings = [*_find_repeated_tags(history), *course.findings]
    alive = [name for name in sorted(course.alive) if name not in moved]
    for binding, name in sorted(bound.items()):
        if name not in alive:
            findings.append(_make_unmade(binding, name, len(history), course.last_words, moved))
    if exported is not None:
        unexported = [name for name in alive if name not in exported]
        findings += [_make_unexported(name, course.alive[name].named_at) for name in unexported]
    return tuple(findings)


def compute_net_effect(
    steps: Sequence[ClassMigration], before: Collection[str], *, without: Collection[str] = ()
) -> tuple[ClassMigration, ...]:
    """Compute the steps to send: with the same resulting classes, but without intermediate names.

    Args:
        steps: the pending steps, oldest first, without mistakes.
        without: resulting classes that another script took over before they were created here.

    Returns:
        Steps without empty ones; the given steps if a name must be free in between.
    """
    lives = _follow(steps, before).lives
    lists: list[dict[str, list[object]]] = [{} for _ in steps]
    for life in lives:
        if life.name in without and life.birth == "new":
            continue
        _send(life, lists)
    short = [
        ClassMigration(tag=step.tag, **written)  # type: ignore[arg-type]
        for step, written in zip(steps, lists, strict=True)
        if written
    ]
    wanted = set(list_classes_after(steps, before)) - set(without)
    course = _follow(short, before)
    if course.findings or set(course.alive) - set(without) != wanted:
        return tuple(steps)
    return tuple(short)


def replace_missing_transfers(
    steps: Sequence[ClassMigration], missing: Collection[tuple[str, str]]
) -> tuple[ClassMigration, ...]:
    """Replace transfers of classes that do not exist by new classes.

    Args:
        missing: (script, class) that do not exist.
    """
    changed = []
    for step in steps:
        lost = [
            transfer
            for transfer in step.transferred_classes
            if (transfer.from_script, transfer.old) in missing
        ]
        kept = tuple(transfer for transfer in step.transferred_classes if transfer not in lost)
        begun = (*step.new_sqlite_classes, *(transfer.new for transfer in lost))
        changed.append(
            step.model_copy(update={"new_sqlite_classes": begun, "transferred_classes": kept})
        )
    return tuple(changed)


def _send(life: _Life, lists: list[dict[str, list[object]]]) -> None:
    """Add the directive that one class needs."""

    def add(step: int, name: str, value: object) -> None:
        lists[step].setdefault(name, []).append(value)

    if life.birth == "before":
        if life.ended_at is not None:
            add(life.ended_at, "deleted_classes", life.first_name)
        elif life.name != life.first_name:
            renamed = RenamedClass(old=life.first_name, new=life.name)
            add(life.named_at, "renamed_classes", renamed)
    elif life.birth == "transferred":
        assert life.source is not None
        moved = life.source.model_copy(update={"new": life.name})
        add(life.named_at, "transferred_classes", moved)
        if life.ended_at is not None:
            add(life.ended_at, "deleted_classes", life.name)
    elif life.ended_at is None:
        add(life.named_at, "new_sqlite_classes", life.name)


def _follow(history: Sequence[ClassMigration], before: Collection[str] = ()) -> _Course:
    course = _Course()
    for name in sorted(before):
        course.begin(_Life("before", name, name, -1))
    for index, step in enumerate(history):
        _follow_step(course, index, step)
    return course


def _follow_step(course: _Course, index: int, step: ClassMigration) -> None:
    if not step.step():
        course.wrong(index, "does nothing", "Remove the step, or add an operation to it.")
    for name in _list_named_twice(step):
        message = f"names the class `{name}` twice"
        course.wrong(index, message, "Name each class once in a step; use two steps.")
    # In the emulator's order, which is our interpretation of Cloudflare's.
    for name in step.new_sqlite_classes:
        _begin(course, index, name)
    for renamed in step.renamed_classes:
        _rename(course, index, step.tag, renamed)
    for moved in step.transferred_classes:
        _transfer(course, index, moved)
    for name in step.deleted_classes:
        _end(course, index, step.tag, name)


def _begin(course: _Course, index: int, name: str) -> None:
    if name in course.alive:
        course.wrong(index, f"creates `{name}`, which already exists", _EXISTING_REMEDY)
    else:
        course.begin(_Life("new", name, name, index))


def _transfer(course: _Course, index: int, moved: TransferredClass) -> None:
    if moved.new in course.alive:
        message = f"moves `{moved.old}` to `{moved.new}`, which already exists"
        course.wrong(index, message, _TAKEN)
    else:
        course.begin(_Life("transferred", moved.new, moved.new, index, moved))


def _end(course: _Course, index: int, tag: str, name: str) -> None:
    if name in course.alive:
        course.alive.pop(name).ended_at = index
        course.last_words[name] = f"step `{tag}` deletes it"
    else:
        course.wrong(index, f"deletes `{name}`, {_describe_absent(name, course)}", _ABSENT_REMEDY)


def _rename(course: _Course, index: int, tag: str, renamed: RenamedClass) -> None:
    if renamed.old not in course.alive:
        message = f"renames `{renamed.old}`, {_describe_absent(renamed.old, course)}"
        course.wrong(index, message, _ABSENT_REMEDY)
    elif renamed.new in course.alive:
        message = f"renames `{renamed.old}` to `{renamed.new}`, which already exists"
        course.wrong(index, message, _TAKEN)
    else:
        life = course.alive.pop(renamed.old)
        course.last_words[renamed.old] = f"step `{tag}` renames it to `{renamed.new}`"
        course.last_words.pop(renamed.new, None)
        life.name, life.named_at = renamed.new, index
        course.alive[renamed.new] = life


_EXISTING_REMEDY = "A class is created once. To start it empty, delete it in an earlier step."
_ABSENT_REMEDY = "Correct the class's name, or remove it from the step if it was never applied."
_TAKEN = "Choose a name that is free, or delete the class that has it in an earlier step."


def _list_named_twice(step: ClassMigration) -> list[str]:
    """List classes that two directives of a step target, which Cloudflare refuses (10074)."""
    named = [
        *step.new_sqlite_classes,
        *step.deleted_classes,
        *(target.new for target in step.renamed_classes),
        *(target.new for target in step.transferred_classes),
    ]
    return sorted({name for name in named if named.count(name) > 1})


def _describe_absent(name: str, course: _Course) -> str:
    words = course.last_words.get(name)
    return f"which no longer exists: {words}" if words else "which no earlier step creates"


def _find_repeated_tags(history: Sequence[ClassMigration]) -> list[HistoryFinding]:
    tags = [step.tag for step in history]
    return [
        HistoryFinding(
            index,
            None,
            f"has the tag {tag!r} of an earlier step",
            "Give each step its own tag.",
        )
        for index, tag in enumerate(tags)
        if tag in tags[:index]
    ]


def _make_unmade(
    binding: str, name: str, steps: int, last_words: Mapping[str, str], taken: Mapping[str, str]
) -> HistoryFinding:
    if name in taken:
        message = f"binds the class `{name}`, which the script {taken[name]} takes over"
        remedy = (
            "Remove the binding, or bind the class there: in `bindings`, with type: "
            f"durable_object_namespace and script_name: {taken[name]}"
        )
        return HistoryFinding(None, binding, message, remedy)
    words = last_words.get(name)
    if words:
        message = f"binds the class `{name}`, which no longer exists: {words}"
        return HistoryFinding(None, binding, message, "Bind another class, or remove the binding.")
    message = f"no class migration creates the class `{name}`"
    step = f"{{tag: v{steps + 1}, newSqliteClasses: [{name}]}}"
    remedy = f"Append to the client's `classMigrations`: {step}"
    return HistoryFinding(None, binding, message, remedy)


def _make_unexported(name: str, step: int) -> HistoryFinding:
    message = f"keeps the class `{name}`, which the code does not export"
    remedy = f"Export it, or append a step that deletes it: deletedClasses: [{name}]"
    return HistoryFinding(step, None, message, remedy)
