"""`flowflare secrets status`: show the source, age and pending changes of each secret."""

from dataclasses import asdict

from flowflare.cli.console import open_stderr, print_json, print_message, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.cli.stacks import open_project_stack
from flowflare.config.files import read_project
from flowflare.render.node import ensure_node_packages
from flowflare.rollout.rotate import configured_keys
from flowflare.rollout.secret_status import (
    KeyStatus,
    SecretStatus,
    key_statuses,
    next_sentence,
    secret_statuses,
)

_WORDS = {
    "": "",
    "changes": "changed by the next up",
    "new": "added by the next up",
    "removed": "removed by the next up",
}


def status(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """Show each secret's source, Workers and age, and whether its source has changed.

    Reads sources as a preview does. Prints fingerprints or versions, never values.

    Examples:

      flowflare secrets status

      flowflare secrets status --json | jq '.secrets[] | select(.pending != "")'
    """
    project = read_project(choose_project_root(cwd), stack)
    keys = configured_keys(project)
    runner = open_project_stack(project)
    ensure_node_packages(print_message, root=project.root)
    with open_stderr().status("Reading the sources"):
        deployment, plan = runner.read(), runner.preview()
    generations = key_statuses(keys, deployment)
    secrets = secret_statuses(plan, deployment)
    made = frozenset(key.generation for key in generations if key.deployed)
    next_command = next_sentence(keys, made, stack)
    if json:
        document = {
            "stack": stack,
            "api_keys": {
                "accepted": list(keys.accepted),
                "in_use": keys.in_use,
                "generations": [asdict(key) for key in generations],
            },
            "secrets": [asdict(secret) for secret in secrets],
            "next": next_command,
        }
        print_json(document)
        return
    _show_keys(generations)
    _show_secrets(secrets)
    print_message(f"\nNext:  {next_command}")


def _show_keys(generations: tuple[KeyStatus, ...]) -> None:
    print_result("API key", style="bold")
    for key in generations:
        words = "in use" if key.in_use else "accepted" if key.bound_as else "removed by the next up"
        if not key.deployed:
            words = "added by the next up"
        facts = [key.key_id, f"made {_format_time(key.since)}" if key.since else None, key.bound_as]
        facts_text = ", ".join(fact for fact in (words, *facts) if fact)
        print_result(f"  generation {key.generation:<4} {facts_text}")


def _show_secrets(secrets: tuple[SecretStatus, ...]) -> None:
    print_result("\nSecrets" if secrets else "\nNo client has secrets of its own.", style="bold")
    for secret in secrets:
        facts = (
            f"in {secret.worker}",
            f"fingerprint {secret.fingerprint}" if secret.fingerprint else None,
            f"version {secret.version}" if secret.version else None,
            f"since {_format_time(secret.since)}" if secret.since else None,
        )
        facts_text = ", ".join(fact for fact in facts if fact)
        words = _WORDS.get(secret.pending, f"unknown: {secret.reason}")
        print_result(f"  {secret.name:<20} {secret.source}")
        print_result(f"  {'':<20} {facts_text}")
        if words:
            print_result(f"  {'':<20} {words}", style="yellow")


def _format_time(time: str) -> str:
    return f"{time[:10]} {time[11:16]}"
