"""List the kinds of binding targets. To add a kind, add a file beside this one and a line here."""

from flowflare.emulator.services.targets.hyperdrive import HYPERDRIVE
from flowflare.emulator.services.targets.kv import KV
from flowflare.emulator.services.targets.queue import QUEUE
from flowflare.emulator.services.targets.r2 import R2
from flowflare.emulator.services.targets.secret import SECRET
from flowflare.emulator.services.targets.target import TargetKind
from flowflare.emulator.services.targets.vectorize import VECTORIZE

KINDS: tuple[TargetKind, ...] = (KV, R2, QUEUE, HYPERDRIVE, VECTORIZE)
BOUND: tuple[TargetKind, ...] = (*KINDS, SECRET)
"""Also those that another room serves."""
BY_BINDING = {kind.binding: kind for kind in BOUND}
"""By the type of their bindings."""
