"""Whether a step may be taken, over plain arrays."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from gridmap.language import N_
from gridmap.problems.models import State
from gridmap.workflow.transitions import ASKING, TRANSITIONS, Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from gridmap.workflow.transitions import Action

__all__ = ["REFUSALS", "STATES", "Verdict", "judge"]

STATES = tuple(State)
"""Position of a state in columns."""


class Verdict(IntEnum):
    """What comes of asking for a step; the first that applies is said."""

    ALLOWED = 0
    NOT_THERE = 1
    OUT_OF_SCOPE = 2
    WRONG_STATE = 3
    SAME_PERSON = 4
    NO_PHOTO = 5
    NO_REQUEST = 6
    NOBODY = 7
    ITSELF = 8
    ASKED = 9


REFUSALS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.NOT_THERE: N_("There is no such problem, or it lies outside what you may see."),
        Verdict.OUT_OF_SCOPE: N_("You may see this problem, but this step is not yours to take here."),
        Verdict.WRONG_STATE: N_("This step does not follow from the state the problem is in."),
        Verdict.SAME_PERSON: N_("Whoever fixed a problem does not judge it: somebody else must look."),
        Verdict.NO_PHOTO: N_("This category needs a photo taken after fixing before it can be closed."),
        Verdict.NO_REQUEST: N_("The organisation has not asked for anything."),
        Verdict.NOBODY: N_("No rule and no responsibility names an organisation; choose one."),
        Verdict.ITSELF: N_("A problem cannot be merged with itself."),
        Verdict.ASKED: N_("The organisation has asked already; that must be decided first."),
    }
)


def judge(
    action: Action,
    state: ArrayLike,
    *,
    seen: ArrayLike,
    in_scope: ArrayLike,
    fixed_by_actor: ArrayLike,
    lacks_photo: ArrayLike,
    requested: ArrayLike,
) -> NDArray[np.int8]:
    """Say for each problem whether a step may be taken, and if not, why.

    Parameters
    ----------
    action
        The step.
    state
        Positions in `STATES`, shape (n,).
    seen
        Whether the actor may see the problem, bool, shape (n,).
    in_scope
        Whether the actor holds the step's permission where the problem lies, bool, shape (n,).
    fixed_by_actor
        Whether it was the actor who fixed it, bool, shape (n,).
    lacks_photo
        Whether a photo taken after fixing is needed and not there, bool, shape (n,).
    requested
        Whether the organisation has an open request, bool, shape (n,).

    Returns
    -------
    numpy.ndarray
        Values of `Verdict`, int8, shape (n,).
    """
    line = TRANSITIONS[action]
    follows = np.isin(np.asarray(state), [STATES.index(source) for source in line.sources])
    refused = [
        (Verdict.NOT_THERE, ~np.asarray(seen, dtype=bool)),
        (Verdict.OUT_OF_SCOPE, ~np.asarray(in_scope, dtype=bool)),
        (Verdict.WRONG_STATE, ~follows),
    ]
    if Need.ANOTHER_PERSON in line.needs:
        refused.append((Verdict.SAME_PERSON, np.asarray(fixed_by_actor, dtype=bool)))
    if Need.AFTER_PHOTO in line.needs:
        refused.append((Verdict.NO_PHOTO, np.asarray(lacks_photo, dtype=bool)))
    if action in ASKING:
        refused.append((Verdict.ASKED, np.asarray(requested, dtype=bool)))
    if Need.REQUEST in line.needs:
        refused.append((Verdict.NO_REQUEST, ~np.asarray(requested, dtype=bool)))
    return np.select(
        [where for _, where in refused], [verdict for verdict, _ in refused], Verdict.ALLOWED
    ).astype(np.int8)
