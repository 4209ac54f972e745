"""What one process has tried today serves the others, and no question waits for another one."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import date

import numpy as np
import pytest

from gridmap.forecast.choosing import choose
from gridmap.forecast.history import History
from gridmap.forecast.keeping import Choices
from gridmap.forecast.squares import Grid, Ground
from gridmap.forecast.windows import DAY, WEEK, Window
from gridmap.hotspots.view import ViewFilter
from gridmap.jobs import JobStoppedError, silent
from gridmap.people.permissions import Holding, Role, Scope

TODAY = date(2026, 5, 9)
WINDOW = Window(TODAY, 1, 8 * 3600, 20 * 3600)
SCOPE = Scope((Holding(Role.AREA_MANAGER, areas=frozenset({3, 1, 2})),))
QUESTION = (ViewFilter(states=None, categories=frozenset({"01", "02"})), SCOPE, WINDOW, 7)


@pytest.fixture(scope="module")
def tried():
    """A history, and what was chosen for it."""
    chance = np.random.default_rng(1)
    at = np.sort(WINDOW.day * DAY - chance.integers(0, 30 * WEEK, 4000))
    key = Grid.key(1000 + chance.integers(0, 9, 4000) ** 2 // 9, 2000 + chance.integers(0, 9, 4000))
    history = History.count(Ground.around(key), key, at, window=WINDOW, origin=WINDOW.day * DAY)
    return history, choose(history, history)


def test_another_process_reads_what_was_chosen(tried, tmp_path):
    history, choice = tried
    Choices(tmp_path).keep(TODAY, QUESTION, choice)
    found = Choices(tmp_path).find(TODAY, QUESTION)
    assert (found.way, found.marks, found.tests, found.found) == (
        choice.way,
        choice.marks,
        choice.tests,
        choice.found,
    )
    assert found.score(history).tolist() == choice.score(history).tolist()
    script = (
        "from tests.gridmap.forecast.test_keeping import *\nfrom pathlib import Path\n"
        "print(Choices(Path(sys.argv[1])).find(TODAY, QUESTION).way)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == choice.way


@pytest.mark.parametrize(
    "question",
    [
        (*QUESTION[:3], 8),
        (QUESTION[0], Scope((Holding(Role.AREA_MANAGER, areas=frozenset({1, 2})),)), WINDOW, 7),
        (ViewFilter(states=frozenset()), *QUESTION[1:]),
    ],
)
def test_other_questions_limits_and_days_find_nothing(tried, tmp_path, question):
    choices = Choices(tmp_path)
    choices.keep(TODAY, QUESTION, tried[1])
    assert choices.find(TODAY, question) is None
    tomorrow = date(2026, 5, 10)
    assert choices.find(tomorrow, QUESTION) is None
    choices.keep(tomorrow, question, tried[1])
    assert choices.find(TODAY, QUESTION) is None, "what is of yesterday goes"
    (next(tmp_path.glob("*.json"))).write_text('{"way": "rec')
    assert choices.find(tomorrow, question) is None


def test_only_the_same_question_waits_and_it_can_be_stopped(tmp_path):
    choices, held, go_on = Choices(tmp_path), threading.Event(), threading.Event()

    def hold():
        with choices.alone(TODAY, QUESTION, silent):
            held.set()
            go_on.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(5)
    with choices.alone(TODAY, (*QUESTION[:3], 8), silent):
        pass

    def stop(*_):
        raise JobStoppedError("Stopped on request; nothing was changed.")

    with pytest.raises(JobStoppedError), Choices(tmp_path).alone(TODAY, QUESTION, stop):
        pass
    go_on.set()
    other.join()
    with choices.alone(TODAY, QUESTION, stop):
        pass
