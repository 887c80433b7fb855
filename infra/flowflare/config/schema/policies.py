"""Policies: which checks a team has switched on, with what parameters, and what it accepts."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from flowflare.model.written import Date, Written, check_in_project, refusal

PRODUCTION = ("prod", "production")


def _switched(value: Any) -> Any:
    """`true` is a policy with its defaults, `false` none."""
    if isinstance(value, bool):
        return {} if value else None
    return value


def _regex(value: str) -> str:
    try:
        re.compile(value.format(tenant="t", environment="e"))
    except (re.error, LookupError, ValueError) as error:
        remedy = 'For example "^{tenant}-{environment}-"; a brace of its own is written twice.'
        raise refusal(f"is {value!r}, which is no pattern: {error}", remedy) from None
    return value


def _file(value: str) -> str:
    check_in_project(value, "infra/policies.py")
    if not value.endswith(".py"):
        raise refusal(f"is {value!r}, which is no Python file", "For example infra/policies.py")
    return value


def _reason(value: str) -> str:
    if not value.strip():
        raise refusal("gives no reason", "Write why it may be so; reviewers read it.")
    return value


class PolicyConfig(Written):
    """What every policy takes."""

    severity: Literal["error", "warning"] = Field(
        default="error", description="An `error` stops `up` and fails the check of a pull request."
    )
    environments: list[str] | None = Field(
        default=None,
        description="The environments that it holds for, `*` for any letters; all when left out.",
    )


class ProductionPolicyConfig(PolicyConfig):
    """A policy that holds in production unless other environments are named."""

    environments: list[str] | None = Field(
        default=list(PRODUCTION),
        description="The environments that it holds for, `*` for any letters.",
    )


class NamePatternConfig(PolicyConfig):
    """Names in the account follow a pattern."""

    pattern: Annotated[str, AfterValidator(_regex)] = Field(
        description="A regular expression that is found in each name; `{tenant}` and "
        "`{environment}` stand for the stack's."
    )
    types: list[Literal["script", "database", "workflow"]] = Field(
        default=["script", "database", "workflow"], description="Whose names."
    )


class AllowedOriginsConfig(ProductionPolicyConfig):
    """Which origins may call the service from a browser."""

    origins: list[str] | None = Field(
        default=None,
        description="Origins that may be allowed, `*` for any letters; any but `*` when left out.",
    )


class CompatibilityDateConfig(PolicyConfig):
    """How old the runtime's behaviour may be."""

    months: Annotated[int, Field(ge=0, le=600)] = Field(
        default=12, description="So many months at most."
    )
    as_of: Date | None = Field(
        alias="asOf",
        default=None,
        description="The date to count from. Left out, it is the commit's in `flowflare diff`, so "
        "that the same commits give the same report, and today's in `preview` and `up`.",
    )


class AllowedRoutesConfig(ProductionPolicyConfig):
    """Which routes and custom domains there may be."""

    patterns: list[str] = Field(
        default_factory=list,
        description="Patterns of routes and hostnames that may be there, `*` for any letters; "
        "none when left out.",
    )


class ObservabilityPolicyConfig(ProductionPolicyConfig):
    """Cloudflare keeps the Workers' logs."""

    rate: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0, description="The share of calls that is looked at, at least."
    )


class PlainSecretsConfig(PolicyConfig):
    """Secrets are not written as plain variables."""

    names: list[str] = Field(
        default=["*_KEY", "*_TOKEN", "*_SECRET", "*_PASSWORD"],
        description="Names of variables that look like a secret's, `*` for any letters.",
    )


class ApiCallsConfig(PolicyConfig):
    """How many requests one `up` may take."""

    max: Annotated[int, Field(ge=0)] = Field(
        default=1000,
        description="So many requests of one stack at most; Cloudflare blocks a token after 1,200 "
        "in 5 minutes.",
    )


class LocationConfig(PolicyConfig):
    """Where databases lie."""

    hints: list[str] | None = Field(
        default=None, description="Location hints that a database may have; any when left out."
    )
    jurisdictions: list[str] | None = Field(
        default=None, description="Jurisdictions, one of which a database must have."
    )


class PoliciesConfig(Written):
    """The checks that are switched on: `true`, or a mapping of parameters."""

    name_pattern: Annotated[
        NamePatternConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | NamePatternConfig),
    ] = Field(alias="name-pattern", default=None, description="Names in the account have a form.")
    protection: Annotated[
        ProductionPolicyConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | ProductionPolicyConfig),
    ] = Field(default=None, description="What holds data is protected.")
    allowed_origins: Annotated[
        AllowedOriginsConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | AllowedOriginsConfig),
    ] = Field(
        alias="allowed-origins", default=None, description="Not every website may call the service."
    )
    compatibility_date: Annotated[
        CompatibilityDateConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | CompatibilityDateConfig),
    ] = Field(
        alias="compatibility-date", default=None, description="Compatibility dates are not old."
    )
    no_workers_dev: Annotated[
        ProductionPolicyConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | ProductionPolicyConfig),
    ] = Field(alias="no-workers-dev", default=None, description="No Worker answers at workers.dev.")
    allowed_routes: Annotated[
        AllowedRoutesConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | AllowedRoutesConfig),
    ] = Field(
        alias="allowed-routes",
        default=None,
        description="Only known routes and custom domains lead to a Worker.",
    )
    observability: Annotated[
        ObservabilityPolicyConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | ObservabilityPolicyConfig),
    ] = Field(default=None, description="Every Worker's logs are kept.")
    no_plain_secrets: Annotated[
        PlainSecretsConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | PlainSecretsConfig),
    ] = Field(
        alias="no-plain-secrets",
        default=None,
        description="No variable that everybody can read has a secret's name.",
    )
    api_calls: Annotated[
        ApiCallsConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | ApiCallsConfig),
    ] = Field(alias="api-calls", default=None, description="One `up` stays below so many requests.")
    data_loss: Annotated[
        PolicyConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | PolicyConfig),
    ] = Field(
        alias="data-loss",
        default=None,
        description="What loses data needs a second reason, beside `flowflare:allowDataLoss`: one "
        "in `accept`.",
    )
    location: Annotated[
        LocationConfig | None,
        BeforeValidator(_switched, json_schema_input_type=bool | LocationConfig),
    ] = Field(default=None, description="Databases lie where they may.")
    python: list[Annotated[str, AfterValidator(_file)]] = Field(
        default_factory=list,
        description="Files with policies of the team's own, Python functions; relative to the "
        "project's folder.",
    )
    accept: dict[str, dict[str, Annotated[str, AfterValidator(_reason)]]] = Field(
        default_factory=dict,
        description="What may be as it is: by the policy's name, then by the resource's or the "
        "stack's, the reason.",
    )

    @model_validator(mode="after")
    def _accepts_known(self) -> "PoliciesConfig":
        for name in self.accept if not self.python else ():
            if name not in BUILT_IN:
                remedy = f"Policies: {', '.join(BUILT_IN)}."
                raise refusal(f"accepts {name!r}, which is no policy", remedy)
        return self

    def built_in(self) -> dict[str, PolicyConfig]:
        """The policies of this package that are switched on, by name."""
        found = {name: getattr(self, field) for name, field in BUILT_IN.items()}
        return {name: value for name, value in found.items() if value is not None}


#: Name of each policy of this package to its field.
BUILT_IN: dict[str, str] = {
    field.alias or name: name
    for name, field in PoliciesConfig.model_fields.items()
    if name not in ("python", "accept")
}
