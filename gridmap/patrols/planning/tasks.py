"""What there is to do: a place to visit, or a street to walk along."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mode", "Task", "Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds between which something may start, counted as everywhere in a problem; with both ends."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way of doing a task.

    Parameters
    ----------
    entry, exit
        Nodes of the matrix where it begins and ends: the same one for a place, the two ends for a street.
    seconds, metres
        What the doing itself takes and covers.
    travel
        Position in `Problem.travel` of the only way of moving with which this mode is done; None for all.
    """

    entry: int
    exit: int
    seconds: int = 0
    metres: int = 0
    travel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to be done once, by one person, in one of its modes.

    A place has one mode, a two-way street two (its directions), a one-way street one. What is to be done
    several times is several tasks, each with the window of its own turn.

    Parameters
    ----------
    modes
        At least one.
    windows
        When the doing may start; none means at any time.
    prize
        What it is worth, in the units of costs; None if it must be done wherever that is possible.
    workers
        Positions of those who may do it; None for everybody.
    demand
        What it takes of a worker's capacity.
    name
        For messages.
    """

    modes: tuple[Mode, ...]
    windows: tuple[Window, ...] = ()
    prize: int | None = None
    workers: frozenset[int] | None = None
    demand: int = 0
    name: str = ""

    @property
    def required(self) -> bool:
        """Whether it must be done wherever that is possible."""
        return self.prize is None

    @classmethod
    def place(cls, node: int, seconds: int = 0, **more: object) -> Task:
        """Make a task at one node; `more` are the other parameters of a task."""
        return cls(modes=(Mode(entry=node, exit=node, seconds=seconds),), **more)  # type: ignore[arg-type]

    @classmethod
    def street(
        cls, tail: int, head: int, seconds: int, metres: int, *, both_ways: bool = True, **more: object
    ) -> Task:
        """Make a task along a street.

        Parameters
        ----------
        tail, head
            Nodes at its ends.
        seconds, metres
            For one passage.
        both_ways
            Whether it may be passed from `head` to `tail` instead.
        """
        modes = [Mode(entry=tail, exit=head, seconds=seconds, metres=metres)]
        if both_ways:
            modes.append(Mode(entry=head, exit=tail, seconds=seconds, metres=metres))
        return cls(modes=tuple(modes), **more)  # type: ignore[arg-type]
