"""Numeric kernels as machine code.

A kernel is a plain function over numpy arrays, compiled at its first call (a second or two; the result is
kept on disk beside the module, or in the user's cache folder where that is read-only). Kernels let go of the
interpreter lock and are split over threads here: numba's own thread pool is not safe to enter from several
request threads at once.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Array", "compiled", "in_slices", "inlined", "merged", "thread_count"]

Array = NDArray[Any]
"""An argument of a kernel, which is compiled for whatever number type it is given."""

Kernel = TypeVar("Kernel", bound="Callable[..., Any]")


def compiled(kernel: Kernel) -> Kernel:
    """Compile `kernel` at its first call, without the interpreter lock, and keep the result on disk."""
    return cast("Kernel", numba.njit(cache=True, nogil=True)(kernel))


def inlined(kernel: Kernel) -> Kernel:
    """Compile `kernel` into the kernels that call it: a call counts references to each array it gets."""
    return cast("Kernel", numba.njit(inline="always")(kernel))


def merged(kernel: Kernel) -> Kernel:
    """Compile `kernel` as machine code into each kernel that calls it: large ones, called very often.

    What is kept on disk of the calling kernel is not made anew when only `kernel` changes.
    """
    return cast("Kernel", numba.njit(cache=True, nogil=True, forceinline=True)(kernel))


def thread_count() -> int:
    """Number of processors this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_slices(work: Callable[[int, int], object], size: int, *, at_least: int = 1) -> None:
    """Call ``work(start, stop)`` on consecutive slices of ``range(size)``, one thread per processor.

    Parameters
    ----------
    work
        Must write to disjoint places for disjoint slices.
    size
        Number of items.
    at_least
        Smallest slice worth a thread; below two of them the work is done in the calling thread.
    """
    slices = min(thread_count(), max(size // max(at_least, 1), 1))
    if slices == 1:
        work(0, size)
        return
    cuts = [size * i // slices for i in range(slices + 1)]
    with ThreadPoolExecutor(slices) as pool:
        for done in [pool.submit(work, *cut) for cut in pairwise(cuts)]:
            done.result()
