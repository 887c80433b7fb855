"""`flowflare docs` and `flowflare schema`: print this version's pages and JSON Schemas."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from flowflare.cli.console import open_stdout, print_json, print_result, print_text
from flowflare.cli.options import JsonOption
from flowflare.config.problems import nearest
from flowflare.library import folder

PARTS = ("tutorial", "how-to", "reference", "explanation")


def docs(
    page: Annotated[
        str | None, typer.Argument(metavar="PAGE", help="The page to print; without it, a list.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Print a page of this version's documentation.

    Without PAGE, list the pages. On a terminal the page is formatted, otherwise it is Markdown.

    Examples:

      flowflare docs

      flowflare docs secrets

      flowflare docs deploy | less
    """
    pages = _list_pages()
    if page is not None:
        text = _find(pages, page, "PAGE", "The pages are").read_text("utf-8")
        if json:
            print_json({"page": page, "markdown": text})
        else:
            _print_markdown(text)
        return
    titles = {name: _read_title(file) for name, file in pages.items()}
    if json:
        print_json([{"page": name, "title": title} for name, title in titles.items()])
        return
    for name, title in titles.items():
        print_result(f"{name:<24} {title}")
    print_result("\nNext:  flowflare docs PAGE")


def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The schema to print; without it, a list.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Print a JSON Schema of a configuration file or of a command's JSON output.

    Without NAME, list the schemas. With NAME, `--json` has no effect: a schema is JSON.

    Examples:

      flowflare schema

      flowflare schema config > flowflare.schema.json
    """
    schemas = _list_schemas()
    if name is not None:
        print_text(_find(schemas, name, "NAME", "The schemas are").read_text("utf-8"))
    elif json:
        print_json(list(schemas))
    else:
        for each in schemas:
            print_result(each)
        print_result("\nNext:  flowflare schema NAME")


def _list_pages() -> Mapping[str, Path]:
    """Return the pages by name, in the order of `PARTS`; the name of an index is its part's."""
    root = folder("docs")
    files = [file for part in PARTS for file in sorted((root / part).glob("*.md"))]
    return {file.parent.name if file.stem == "index" else file.stem: file for file in files}


def _list_schemas() -> Mapping[str, Path]:
    """Return the schemas by name, such as `plan` for `flowflare.plan.schema.json`."""
    files = sorted((folder("docs") / "reference" / "schemas").glob("flowflare*.schema.json"))
    names = {file: file.name.removeprefix("flowflare").partition("schema")[0] for file in files}
    found = {name.strip(".") or "config": file for file, name in names.items()}
    return dict(sorted(found.items()))


def _find(files: Mapping[str, Path], name: str, argument: str, listed: str) -> Path:
    if name not in files:
        message = f"{name!r} does not exist. {nearest(name, files, listed)}"
        raise typer.BadParameter(message, param_hint=argument)
    return files[name]


def _read_title(file: Path) -> str:
    return file.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def _print_markdown(text: str) -> None:
    """Format Markdown on a terminal, and print it unchanged to a pipe."""
    from rich.markdown import Markdown

    if open_stdout().is_terminal:
        print_result(Markdown(text))
    else:
        typer.echo(text, nl=False)
