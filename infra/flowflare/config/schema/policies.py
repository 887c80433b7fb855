"""Define the policies: which checks a team enables, their parameters, and accepted exceptions."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from flowflare.model.written import Date, Written, check_in_project, refusal

PRODUCTION = ("prod", "production")


def _expand_boolean(value: Any) -> Any:
    """Turn `true` into a policy with its defaults, and `false` into no policy."""
    if isinstance(value, bool):
        return {} if value else None
    return value


def _check_regex(value: str) -> str:
    try:
        re.compile(value.format(tenant="t", environment="e"))
    except (re.error, LookupError, ValueError) as error:
        remedy = 'For example "^{tenant}-{environment}-"; write a literal brace twice.'
        raise refusal(f"is {value!r}, which is not a valid pattern: {error}", remedy) from None
    return value


def _check_file(value: str) -> str:
    check_in_project(value, "infra/policies.py")
    if not value.endswith(".py"):
        raise refusal(f"is {value!r}, which is not a Python file", "For example infra/policies.py")
    return value


def _check_reason(value: str) -> str:
    if not value.strip():
        raise refusal("gives no reason", "Write why this is acceptable; reviewers read it.")
    return value


class PolicyConfig(Written):
    """The parameters of every policy."""

    severity: Literal["error", "warning"] = Field(
        default="error", description="An `error` stops `up` and fails the check of a pull request."
    )
    environments: list[str] | None = Field(
        default=None,
        description="The environments that it applies to, `*` for any letters; by default all.",
    )


class ProductionPolicyConfig(PolicyConfig):
    """A policy that applies to production unless other environments are named."""

    environments: list[str] | None = Field(
        default=list(PRODUCTION),
        description="The environments that it applies to, `*` for any letters.",
    )


class NamePatternConfig(PolicyConfig):
    """Names in the account match a pattern."""

    pattern: Annotated[str, AfterValidator(_check_regex)] = Field(
        description="A regular expression that each name must contain; `{tenant}` and "
        "`{environment}` are replaced with the stack's."
    )
    types: list[Literal["script", "database", "workflow"]] = Field(
        default=["script", "database", "workflow"], description="Which names are checked."
    )


class AllowedOriginsConfig(ProductionPolicyConfig):
    """Only some origins may call the service from a browser."""

    origins: list[str] | None = Field(
        default=None,
        description="Origins that may be allowed, `*` for any letters; by default any except `*`.",
    )


class CompatibilityDateConfig(PolicyConfig):
    """Compatibility dates are recent."""

    months: Annotated[int, Field(ge=0, le=600)] = Field(
        default=12, description="The highest age in months."
    )
    as_of: Date | None = Field(
        alias="asOf",
        default=None,
        description="The date to count from. The default is the commit's date in `flowflare diff`, "
        "so that the same commits give the same report, and today in `preview` and `up`.",
    )


class AllowedRoutesConfig(ProductionPolicyConfig):
    """Workers only have allowed routes and custom domains."""

    patterns: list[str] = Field(
        default_factory=list,
        description="Allowed patterns of routes and hostnames, `*` for any letters; by default "
        "none.",
    )


class ObservabilityPolicyConfig(ProductionPolicyConfig):
    """Cloudflare keeps the Workers' logs."""

    rate: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0, description="The lowest share of calls that is sampled, from 0 to 1."
    )


class PlainSecretsConfig(PolicyConfig):
    """Secrets are not written as plain variables."""

    names: list[str] = Field(
        default=["*_KEY", "*_TOKEN", "*_SECRET", "*_PASSWORD"],
        description="Names of variables that look like secrets, `*` for any letters.",
    )


class ApiCallsConfig(PolicyConfig):
    """One `up` makes a limited number of requests."""

    max: Annotated[int, Field(ge=0)] = Field(
        default=1000,
        description="The highest number of requests of one stack. Cloudflare blocks a token after "
        "1,200 requests in 5 minutes.",
    )


class LocationConfig(PolicyConfig):
    """Databases are in allowed locations."""

    hints: list[str] | None = Field(
        default=None, description="Location hints that a database may have; by default any."
    )
    jurisdictions: list[str] | None = Field(
        default=None, description="Jurisdictions, one of which a database must have."
    )


class PoliciesConfig(Written):
    """The enabled policies: `true`, or a mapping of parameters."""

    name_pattern: Annotated[
        NamePatternConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | NamePatternConfig),
    ] = Field(
        alias="name-pattern", default=None, description="Names in the account match a pattern."
    )
    protection: Annotated[
        ProductionPolicyConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | ProductionPolicyConfig),
    ] = Field(default=None, description="Resources with data are protected.")
    allowed_origins: Annotated[
        AllowedOriginsConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | AllowedOriginsConfig),
    ] = Field(
        alias="allowed-origins",
        default=None,
        description="Only some websites may call the service.",
    )
    compatibility_date: Annotated[
        CompatibilityDateConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | CompatibilityDateConfig),
    ] = Field(
        alias="compatibility-date", default=None, description="Compatibility dates are recent."
    )
    no_workers_dev: Annotated[
        ProductionPolicyConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | ProductionPolicyConfig),
    ] = Field(alias="no-workers-dev", default=None, description="No Worker has a workers.dev URL.")
    allowed_routes: Annotated[
        AllowedRoutesConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | AllowedRoutesConfig),
    ] = Field(
        alias="allowed-routes",
        default=None,
        description="Workers only have allowed routes and custom domains.",
    )
    observability: Annotated[
        ObservabilityPolicyConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | ObservabilityPolicyConfig),
    ] = Field(default=None, description="Every Worker's logs are kept.")
    no_plain_secrets: Annotated[
        PlainSecretsConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | PlainSecretsConfig),
    ] = Field(
        alias="no-plain-secrets",
        default=None,
        description="No plain variable has the name of a secret.",
    )
    api_calls: Annotated[
        ApiCallsConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | ApiCallsConfig),
    ] = Field(alias="api-calls", default=None, description="One `up` makes few requests.")
    data_loss: Annotated[
        PolicyConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | PolicyConfig),
    ] = Field(
        alias="data-loss",
        default=None,
        description="A change that loses data needs a second reason in `accept`, beside "
        "`flowflare:allowDataLoss`.",
    )
    location: Annotated[
        LocationConfig | None,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | LocationConfig),
    ] = Field(default=None, description="Databases are in allowed locations.")
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
    def _accepts_known(self) -> "PoliciesConfig":
        for name in self.accept if not self.python else ():
            if name not in BUILT_IN:
                remedy = f"Policies: {', '.join(BUILT_IN)}."
                raise refusal(f"accepts {name!r}, which is not a policy", remedy)
        return self

    def built_in(self) -> dict[str, PolicyConfig]:
        """Return the enabled policies of this package, by name."""
        found = {name: getattr(self, field) for name, field in BUILT_IN.items()}
        return {name: value for name, value in found.items() if value is not None}


#: The field of each policy of this package, by the policy's name.
BUILT_IN: dict[str, str] = {
    field.alias or name: name
    for name, field in PoliciesConfig.model_fields.items()
    if name not in ("python", "accept")
}
