"""A run that waits for the account's API budget reports it once, as a note."""

import re

from flowflare.api import Connector, Pace
from flowflare.config.files import read_project
from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.values.events import Event
from tests.engine.fake_cloudflare import ACCOUNT
from tests.engine.projects import Sample

PROGRAM = f"""
    from cloud import D1Database
    for number in range(4):
        D1Database(f"db{{number}}", accountId="{ACCOUNT}", name=f"runs-{{number}}")
"""


def test_up_and_destroy_report_a_wait_once(cloud_sample: Sample) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(clock=lambda: now[0], sleep=sleep, calls=3)
    project = read_project(cloud_sample.write_program(PROGRAM).root, "dev")
    for run in ("up", "destroy"):
        events: list[Event] = []
        stack = EmbeddedStack(project, environ=cloud_sample.environ, api=Connector(pace))
        getattr(stack, run)(events.append)
        notes = [event.message for event in events if event.kind == "note"]
        # Another waiting call may move the clock by a fraction of a second.
        assert re.match(r"waiting 30[01] s: the account's calls are used up", notes[0])
        assert notes == notes[:1]
