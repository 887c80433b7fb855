"""Run one emulator per test process for the stories, which need its whole log."""

from tests.emulator.conftest import cloud

__all__ = ["cloud"]
