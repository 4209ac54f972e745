"""Every table in one place, for migrations and checks."""

from gridmap.deadlines import models as deadlines
from gridmap.dispatch import models as dispatch
from gridmap.evidence import models as evidence
from gridmap.imports import models as imports
from gridmap.inspections import models as inspections
from gridmap.joint import models as joint
from gridmap.ledger import models as ledger
from gridmap.look_back import models as look_back
from gridmap.patrols import models as patrols
from gridmap.patrols.tracks import models as tracks
from gridmap.people import models as people
from gridmap.places import models as places
from gridmap.problems import models as problems
from gridmap.residents import models as residents
from gridmap.shops import models as shops
from gridmap.store import clock
from gridmap.store.base import Base
from gridmap.trail import models as trail
from gridmap.webhooks import models as webhooks

__all__ = [
    "clock",
    "deadlines",
    "dispatch",
    "evidence",
    "imports",
    "inspections",
    "joint",
    "ledger",
    "look_back",
    "metadata",
    "patrols",
    "people",
    "places",
    "problems",
    "residents",
    "shops",
    "tracks",
    "trail",
    "webhooks",
]

metadata = Base.metadata
