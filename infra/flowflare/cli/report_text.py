"""Print a report about two commits; colours only on a terminal."""

from typing import TYPE_CHECKING

from flowflare.cli.plan_text import STYLES

if TYPE_CHECKING:
    from flowflare.review.report import Report


def print_report(report: "Report") -> None:
    """Print the whole report to standard output."""
    from flowflare.cli.console import print_lines
    from flowflare.review.report_text import write_lines

    print_lines(write_lines(report), STYLES)
