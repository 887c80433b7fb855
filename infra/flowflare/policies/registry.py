"""List the policies of this package; everything that knows them iterates this list."""

from typing import Final

from flowflare.policies import data, workers
from flowflare.policies.contract import Policy

POLICIES: Final[tuple[type[Policy], ...]] = (
    workers.NamePattern,
    data.Protection,
    workers.AllowedOrigins,
    workers.RecentCompatibilityDate,
    workers.NoWorkersDev,
    workers.AllowedRoutes,
    workers.KeptLogs,
    workers.NoPlainSecrets,
    data.FewApiCalls,
    data.DataLoss,
    data.AllowedLocation,
)
BY_NAME: Final = {policy.name: policy for policy in POLICIES}
