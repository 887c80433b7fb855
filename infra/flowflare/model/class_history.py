"""What a Durable Object history means: the classes it leaves, its mistakes, its net effect.

Pure. A class has one life: it begins or comes over, may get other names, and ends or goes on. The
net effect is what an upload sends, since Cloudflare refuses steps that speak of classes which the
uploaded code does not export (10070, 10074), as old steps of a history do on a new script.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flowflare.model.class_migrations import ClassMigration, RenamedClass, TransferredClass

Birth = Literal["before", "new", "transferred"]


@dataclass(frozen=True)
class HistoryFinding:
    """Something that is wrong with a history.

    Attributes:
        step: the step's position, None where it is no single step's.
        binding: the binding that shows it, None where none does.
        message: what is wrong.
        remedy: what to write instead.
    """

    step: int | None
    binding: str | None
    message: str
    remedy: str


@dataclass
class _Life:
    """One class on its way through a history."""

    birth: Birth
    first_name: str
    name: str
    named_at: int
    """The step that gave it its last name, -1 for before the history."""
    source: TransferredClass | None = None
    ended_at: int | None = None


@dataclass
class _Course:
    """A history being followed."""

    alive: dict[str, _Life] = field(default_factory=dict)
    lives: list[_Life] = field(default_factory=list)
    findings: list[HistoryFinding] = field(default_factory=list)
    last_words: dict[str, str] = field(default_factory=dict)
    """What became of names that no class has any more."""

    def begin(self, life: _Life) -> None:
        self.alive[life.name] = life
        self.lives.append(life)
        self.last_words.pop(life.name, None)

    def wrong(self, step: int, message: str, remedy: str) -> None:
        self.findings.append(HistoryFinding(step, None, message, remedy))


def classes_after(
    history: Sequence[ClassMigration], before: Collection[str] = ()
) -> tuple[str, ...]:
    """The classes that there are once a history was applied, sorted.

    Args:
        history: the steps, oldest first.
        before: the classes that there were.
    """
    return tuple(sorted(_follow(history, before).alive))


def fates(history: Sequence[ClassMigration], before: Collection[str]) -> dict[str, str | None]:
    """What becomes of each class that there was: its name afterwards, None for an end.

    Args:
        history: the steps to come, oldest first.
        before: the classes that there are.
    """
    course = _follow(history, before)
    return {
        life.first_name: life.name if life.ended_at is None else None
        for life in course.lives
        if life.birth == "before"
    }


def losses(steps: Sequence[ClassMigration], before: Collection[str]) -> tuple[tuple[int, str], ...]:
    """The steps that delete classes which may have objects: position and class, in order.

    Args:
        steps: the steps to come, oldest first.
        before: the classes that there are.
    """
    lives = _follow(steps, before).lives
    return tuple(
        sorted(
            (life.ended_at, life.name)
            for life in lives
            if life.ended_at is not None and life.birth != "new"
        )
    )


def history_findings(
    history: Sequence[ClassMigration],
    *,
    bound: Mapping[str, str],
    exported: Collection[str] | None = None,
    taken: Mapping[str, str] | None = None,
) -> tuple[HistoryFinding, ...]:
    """Everything that is wrong with a history.

    Args:
        history: the whole history, oldest first.
        bound: class of each Durable Object binding to the script itself, by the binding's name.
        exported: what the code exports, None where it is not known yet.
        taken: classes that other scripts of the stack take over, with the script's name.
    """
    course = _follow(history)
    gone = dict(taken or {})
    findings = [*_repeated_tags(history), *course.findings]
    alive = [name for name in sorted(course.alive) if name not in gone]
    for binding, name in sorted(bound.items()):
        if name not in alive:
            findings.append(_unmade(binding, name, len(history), course.last_words, gone))
    if exported is not None:
        unexported = [name for name in alive if name not in exported]
        findings += [_unexported(name, course.alive[name].named_at) for name in unexported]
    return tuple(findings)


def net_effect(
    steps: Sequence[ClassMigration], before: Collection[str], *, without: Collection[str] = ()
) -> tuple[ClassMigration, ...]:
    """The steps to send for those steps: the same classes in the end, no names in between.

    Args:
        steps: what is pending, oldest first; nothing is wrong with it.
        before: the classes that the script has.
        without: classes of the end that another script took before they were made here.

    Returns:
        Steps without empty ones; the same steps where some name has to be free in between.
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
    wanted = set(classes_after(steps, before)) - set(without)
    course = _follow(short, before)
    if course.findings or set(course.alive) - set(without) != wanted:
        return tuple(steps)
    return tuple(short)


def started_anew(
    steps: Sequence[ClassMigration], missing: Collection[tuple[str, str]]
) -> tuple[ClassMigration, ...]:
    """The steps with new classes instead of transfers from where there is nothing.

    Args:
        steps: the steps.
        missing: (script, class) that do not exist.
    """
    changed = []
    for step in steps:
        lost = [one for one in step.transferred_classes if (one.from_script, one.old) in missing]
        kept = tuple(one for one in step.transferred_classes if one not in lost)
        begun = (*step.new_sqlite_classes, *(one.new for one in lost))
        changed.append(
            step.model_copy(update={"new_sqlite_classes": begun, "transferred_classes": kept})
        )
    return tuple(changed)


def _send(life: _Life, lists: list[dict[str, list[object]]]) -> None:
    """Adds what one life needs to be sent."""

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
        course.wrong(index, "does nothing", "Remove the step, or write what it does.")
    for name in _named_twice(step):
        message = f"names the class `{name}` twice"
        course.wrong(index, message, "A class is named once in a step: use two steps.")
    # The emulator's order, which is our reading of Cloudflare's.
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
        course.wrong(index, f"begins `{name}`, which there is already", _EXISTING_REMEDY)
    else:
        course.begin(_Life("new", name, name, index))


def _transfer(course: _Course, index: int, moved: TransferredClass) -> None:
    if moved.new in course.alive:
        message = f"moves `{moved.old}` to `{moved.new}`, which there is already"
        course.wrong(index, message, _TAKEN)
    else:
        course.begin(_Life("transferred", moved.new, moved.new, index, moved))


def _end(course: _Course, index: int, tag: str, name: str) -> None:
    if name in course.alive:
        course.alive.pop(name).ended_at = index
        course.last_words[name] = f"step `{tag}` deletes it"
    else:
        course.wrong(index, f"deletes `{name}`, {_absent(name, course)}", _ABSENT_REMEDY)


def _rename(course: _Course, index: int, tag: str, renamed: RenamedClass) -> None:
    if renamed.old not in course.alive:
        message = f"renames `{renamed.old}`, {_absent(renamed.old, course)}"
        course.wrong(index, message, _ABSENT_REMEDY)
    elif renamed.new in course.alive:
        message = f"renames `{renamed.old}` to `{renamed.new}`, which there is already"
        course.wrong(index, message, _TAKEN)
    else:
        life = course.alive.pop(renamed.old)
        course.last_words[renamed.old] = f"step `{tag}` renames it to `{renamed.new}`"
        course.last_words.pop(renamed.new, None)
        life.name, life.named_at = renamed.new, index
        course.alive[renamed.new] = life


_EXISTING_REMEDY = (
    "A class begins once. To start it anew, delete it in a step in front of this one."
)
_ABSENT_REMEDY = "Correct the class's name, or remove it from the step if it was never applied."
_TAKEN = "Choose a name that is free, or delete the class that has it in an earlier step."


def _named_twice(step: ClassMigration) -> list[str]:
    """Classes that are the target of two directives of a step, which Cloudflare refuses (10074)."""
    named = [
        *step.new_sqlite_classes,
        *step.deleted_classes,
        *(one.new for one in step.renamed_classes),
        *(one.new for one in step.transferred_classes),
    ]
    return sorted({name for name in named if named.count(name) > 1})


def _absent(name: str, course: _Course) -> str:
    words = course.last_words.get(name)
    return f"which is not there any more: {words}" if words else "which no earlier step begins"


def _repeated_tags(history: Sequence[ClassMigration]) -> list[HistoryFinding]:
    tags = [step.tag for step in history]
    return [
        HistoryFinding(
            index,
            None,
            f"has the tag {tag!r} of an earlier step",
            "Give each step a tag of its own.",
        )
        for index, tag in enumerate(tags)
        if tag in tags[:index]
    ]


def _unmade(
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
        message = f"binds the class `{name}`, which is not there any more: {words}"
        return HistoryFinding(None, binding, message, "Bind another class, or remove the binding.")
    message = f"no class migration makes the class `{name}`"
    step = f"{{tag: v{steps + 1}, newSqliteClasses: [{name}]}}"
    remedy = f"Append to the client's `classMigrations`: {step}"
    return HistoryFinding(None, binding, message, remedy)


def _unexported(name: str, step: int) -> HistoryFinding:
    message = f"keeps the class `{name}`, which the code does not export"
    remedy = f"Export it, or append a step that ends it: deletedClasses: [{name}]"
    return HistoryFinding(step, None, message, remedy)
