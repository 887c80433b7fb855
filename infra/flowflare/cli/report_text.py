"""Print a report about two commits; colours only on a terminal."""

from flowflare.cli.console import print_lines
from flowflare.cli.plan_text import STYLES
from flowflare.review.report import Report
from flowflare.review.report_text import write_lines


def print_report(report: Report) -> None:
    """Print the whole report to standard output."""
    print_lines(write_lines(report), STYLES)
