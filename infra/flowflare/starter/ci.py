"""Name the services that run a project's workflows."""

from enum import StrEnum


class Ci(StrEnum):
    """The service that runs a project's workflows."""

    github = "github"
    gitlab = "gitlab"
    none = "none"
