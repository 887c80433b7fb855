"""`flowflare types`: give the project's TypeScript the runtime library."""

from flowflare.cli.options import ProjectOption, choose_project_root


def types(cwd: ProjectOption = None) -> None:
    """Copy the runtime library into node_modules, where tsc and editors find its types.

    `flowflare init` does this for a new project. Run it after `npm ci` and after an upgrade.

    Example: flowflare types && npx tsc
    """
    from flowflare.cli.console import print_result
    from flowflare.starter.runtime_types import PACKAGE, install_runtime_types

    root = choose_project_root(cwd)
    is_copied = install_runtime_types(root)
    what = "copied" if is_copied else "kept, because it is a symbolic link"
    print_result(f"{root / PACKAGE}: {what}")
    print_result("\nNext:  npx tsc")
