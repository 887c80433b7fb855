"""Define `flowflare:policies`: the enabled policies, the team's own, and accepted exceptions."""

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, create_model, model_validator

from flowflare.model.written import Written, check_in_project, refusal
from flowflare.policies.contract import Policy, describe, expand_boolean
from flowflare.policies.registry import BY_NAME, POLICIES


def _check_file(value: str) -> str:
    check_in_project(value, "infra/policies.py")
    if not value.endswith(".py"):
        raise refusal(f"is {value!r}, which is not a Python file", "For example infra/policies.py")
    return value


def _check_reason(value: str) -> str:
    if not value.strip():
        raise refusal("gives no reason", "Write why this is acceptable; reviewers read it.")
    return value


class _Policies(Written):
    """The enabled policies: `true`, or a mapping of parameters."""

    python: list[Annotated[str, AfterValidator(_check_file)]] = Field(
        default_factory=list,
        description="Files with the team's own policies, which are Python functions; relative to "
        "the project's folder.",
    )
    accept: dict[str, dict[str, Annotated[str, AfterValidator(_check_reason)]]] = Field(
        default_factory=dict,
        description="Accepted exceptions: the reason by the policy's name, then by the name of the "
        "resource or stack.",
    )

    @model_validator(mode="after")
    def _accepts_known(self) -> Self:
        for name in self.accept if not self.python else ():
            if name not in BY_NAME:
                remedy = f"Policies: {', '.join(BY_NAME)}."
                raise refusal(f"accepts {name!r}, which is not a policy", remedy)
        return self

    def built_in(self) -> dict[str, Policy]:
        """Return the enabled policies of this package, by name."""
        found = {name: getattr(self, _name_field(name)) for name in BY_NAME}
        return {name: policy for name, policy in found.items() if policy is not None}


def _name_field(policy: str) -> str:
    return policy.replace("-", "_")


def _make_field(policy: type[Policy]) -> Any:
    either = BeforeValidator(expand_boolean, json_schema_input_type=bool | policy)
    field = Field(alias=policy.name, default=None, description=describe(policy))
    return Annotated[policy | None, either], field


if TYPE_CHECKING:
    PoliciesConfig = _Policies
else:
    PoliciesConfig = create_model(
        "PoliciesConfig",
        __base__=_Policies,
        __doc__=_Policies.__doc__,
        **{_name_field(policy.name): _make_field(policy) for policy in POLICIES},
    )
