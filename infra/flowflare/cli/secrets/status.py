"""`flowflare secrets status`: where each secret is from, since when, and whether it has changed."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    project_root,
)

if TYPE_CHECKING:
    from flowflare.rollout.secret_status import KeyStatus, SecretStatus

_WORDS = {
    "": "",
    "changes": "changes with the next up",
    "new": "comes with the next up",
    "removed": "goes with the next up",
}


def status(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Say of each secret where it is from and bound, since when, and whether its source changed.

    Sources are asked as a preview asks them: a fingerprint or a version, never shown values.

    Examples:

      flowflare secrets status

      flowflare secrets status --json | jq '.secrets[] | select(.pending != "")'
    """
    from flowflare.cli.console import messages, print_json
    from flowflare.cli.stacks import opened
    from flowflare.config.files import read_project
    from flowflare.render.node import ensure_node_packages
    from flowflare.rollout.rotate import configured_keys
    from flowflare.rollout.secret_status import key_statuses, next_sentence, secret_statuses

    project = read_project(project_root(cwd), stack)
    keys = configured_keys(project)
    runner = opened(project)
    ensure_node_packages(lambda text: messages().print(text, markup=False), root=project.root)
    with messages().status("Asking the sources"):
        deployment, plan = runner.read(), runner.preview()
    generations = key_statuses(keys, deployment)
    secrets = secret_statuses(plan, deployment)
    made = frozenset(one.generation for one in generations if one.deployed)
    following = next_sentence(keys, made, stack)
    if json:
        document = {
            "stack": stack,
            "api_keys": {
                "accepted": list(keys.accepted),
                "in_use": keys.in_use,
                "generations": [asdict(one) for one in generations],
            },
            "secrets": [asdict(one) for one in secrets],
            "next": following,
        }
        print_json(document)
        return
    _show_keys(generations)
    _show_secrets(secrets)
    messages().print(f"\nNext:  {following}", markup=False)


def _show_keys(generations: "tuple[KeyStatus, ...]") -> None:
    from flowflare.cli.console import answers

    answers().print("API key", style="bold")
    for one in generations:
        words = "in use" if one.in_use else "accepted" if one.bound_as else "goes with the next up"
        if not one.deployed:
            words = "comes with the next up"
        facts = [one.key_id, f"made {_minute(one.since)}" if one.since else None, one.bound_as]
        told = ", ".join(fact for fact in (words, *facts) if fact)
        answers().print(f"  generation {one.generation:<4} {told}", markup=False)


def _show_secrets(secrets: "tuple[SecretStatus, ...]") -> None:
    from flowflare.cli.console import answers

    answers().print("\nSecrets" if secrets else "\nNo client has secrets of its own.", style="bold")
    for one in secrets:
        facts = (
            f"in {one.worker}",
            f"fingerprint {one.fingerprint}" if one.fingerprint else None,
            f"version {one.version}" if one.version else None,
            f"since {_minute(one.since)}" if one.since else None,
        )
        told = ", ".join(fact for fact in facts if fact)
        words = _WORDS.get(one.pending, f"not known here: {one.reason}")
        answers().print(f"  {one.name:<20} {one.source}", markup=False)
        answers().print(f"  {'':<20} {told}", markup=False)
        if words:
            answers().print(f"  {'':<20} {words}", markup=False, style="yellow")


def _minute(time: str) -> str:
    return f"{time[:10]} {time[11:16]}"
