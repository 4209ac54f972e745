"""Many samples at once, held against one sample after the other."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.inspections.rehearsal import Exposed, draw_many, rehearse
from gridmap.look_back.rules import allocate


def exposed(*pairs):
    point, points, chance = np.array(sorted(pairs), dtype=float).reshape(-1, 3).T
    return Exposed(
        point=point.astype(np.int64),
        problem=np.arange(len(point)),
        points=points,
        chance=chance,
    )


def test_every_sample_has_its_share_of_every_stratum_and_nobody_twice():
    stratum = np.repeat([7, 9, 11], [10, 4, 2])
    samples = draw_many(stratum, 6, 200, np.random.default_rng(1))
    wanted = allocate([10, 4, 2], 6)
    assert samples.shape == (200, 6)
    for sample in samples:
        assert len(set(sample.tolist())) == 6
        assert [(stratum[sample] == one).sum() for one in (7, 9, 11)] == wanted.tolist()
    # Within a stratum every place is drawn about as often as every other one.
    counts = np.bincount(draw_many(stratum, 6, 4000, np.random.default_rng(2)).ravel())[:10]
    assert counts == pytest.approx(np.full(10, counts.mean()), rel=0.1)


def test_scores_are_what_is_expected_of_the_chances():
    stratum = np.zeros(4, dtype=np.int64)
    wrong = exposed((0, 2.0, 1.0), (0, 2.0, 0.5), (1, 1.0, 1.0), (3, 9.0, 1.0))
    found = rehearse(stratum, wrong, size=2, draws=20_000, seed=3, limit=5.0)
    # Every point is in half of the samples; the last one is at the limit.
    mean, low, high = found.interval()
    assert mean == pytest.approx(100 - (3.0 + 1.0 + 0.0 + 5.0) / 2, abs=0.1)
    assert low < mean < high
    assert found.lost == pytest.approx([3.0, 1.0, 0.0, 5.0], abs=0.05)
    assert found.drawn.sum() == 40_000
    again = rehearse(stratum, wrong, size=2, draws=20_000, seed=3, limit=5.0)
    assert again.scores.tolist() == found.scores.tolist()
    other = rehearse(stratum, wrong, size=2, draws=20_000, seed=4, limit=5.0)
    assert other.scores.tolist() != found.scores.tolist()


def test_where_nothing_is_wrong_every_sample_is_perfect():
    found = rehearse(np.zeros(3, dtype=np.int64), exposed(), size=9, draws=5, seed=0, limit=5.0)
    assert found.scores.tolist() == [100.0] * 5
    assert found.drawn.tolist() == [5, 5, 5]
