"""Boston's 311 cases of 2015: their own flags and figures against ours, every disagreement explained."""

from __future__ import annotations

import gzip
import shutil
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from gridmap.figures.formulas import RATES, Basis
from gridmap.figures.grouping import By
from gridmap.figures.queries import Period, Question, read_figures
from gridmap.hotspots.loading import read_problems
from gridmap.hotspots.snapshot import Snapshot
from gridmap.hotspots.view import ViewFilter, open_view
from gridmap.people.permissions import Actor, Permission
from gridmap.places.cards import Faces
from gridmap.places.directory import Directory
from gridmap.problems.models import Problem
from gridmap.store.engine import reading
from gridmap.store.extract import read_columns

BOSTON = ZoneInfo("America/New_York")
DRAWN = pd.Timestamp("2016-01-13 00:00", tz=BOSTON)
"""When the city drew the list: after the latest open case was overdue, before the earliest that was not."""


def cases(folder, into):
    with into.open("wb") as out:
        for number, quarter in enumerate(("Q1", "Q2", "Q3")):
            with gzip.open(folder / f"boston_311_2015{quarter}.csv.gz") as part:
                if number:
                    part.readline()
                shutil.copyfileobj(part, out)
    frame = pd.read_csv(into, dtype={"CASE_ENQUIRY_ID": str}, low_memory=False)
    for name in ("OPEN_DT", "TARGET_DT", "CLOSED_DT"):
        local = pd.to_datetime(frame[name]).dt.tz_localize(
            BOSTON, ambiguous=True, nonexistent="shift_forward"
        )
        frame[name] = local.dt.tz_convert("UTC")
    return frame.set_index("CASE_ENQUIRY_ID")


@pytest.mark.real
def test_boston_flags_follow_from_its_times_and_its_figures_from_ours(importer, real_data, tmp_path):
    file = tmp_path / "2015.csv"
    frame = cases(real_data / "boston_311", file)
    importer.now = DRAWN.to_pydatetime()
    more = {"create_categories": "1", "source_name": "boston"}
    importer.apply("problems", file, zone=BOSTON, more=more)
    with reading(importer.engine) as session:
        known = read_columns(
            session,
            select(Problem.external_id, Problem.fixed_at, Problem.fix_due_at, Problem.closed_at),
        )
        snapshot = Snapshot.build(read_problems(session), change=1, rebuild=0)
        directory = Directory.read(session, 1)

    # Their flag, from our columns: late where it was handed back after the limit, or has not been by the day
    # on which the list was drawn.
    ours = pd.DataFrame(known).set_index("external_id").reindex(frame.index)
    stated = frame["TARGET_DT"].notna()
    drawn = DRAWN.tz_convert("UTC").tz_localize(None)
    target = frame["TARGET_DT"].dt.tz_localize(None)
    limit = ours["fix_due_at"].where(ours["fix_due_at"].notna(), target)
    late = ours["fixed_at"].fillna(drawn) > limit
    flag = np.where(late, "OVERDUE", "ONTIME")
    theirs = frame["OnTime_Status"]
    disagree = pd.Series(flag, index=frame.index) != theirs
    closed = frame["CLOSED_DT"].notna()
    classes = {
        "no flag, closed after its target": disagree & theirs.isna() & stated & closed,
        "no flag, open past its target": disagree & theirs.isna() & stated & ~closed,
        "no target in their list, so never late; ours has the category's": disagree & ~stated,
    }
    counts = {name: int(rows.sum()) for name, rows in classes.items()}
    print({"cases": len(frame), "agree": int((~disagree).sum())} | counts)  # noqa: T201 - the finding itself
    assert sum(classes.values()).eq(1).equals(disagree)
    assert counts["no flag, closed after its target"] == 80
    assert counts["no flag, open past its target"] == 67
    assert not (disagree & stated & theirs.notna()).any()
    assert (ours.loc[stated & closed, "fix_due_at"] == target[stated & closed]).all()
    assert late[stated].sum() == 15_957 + 80 + 8_657 + 67

    # Their figures, counted from their own flags and times, against the figures of the service.
    actor = Actor.owner()
    view = open_view(
        ViewFilter(states=None, doubtful=True),
        snapshot=snapshot,
        directory=directory,
        scope=actor.scope(Permission.PROBLEM_READ),
        now=importer.now,
    )

    def figures(basis, by):
        question = Question(
            period=Period(date(2015, 1, 1), date(2015, 12, 31)), basis=basis, by=by, limit=5000
        )
        return read_figures(view, question, faces=Faces(directory, actor), zone=BOSTON, rates=RATES)

    found = figures(Basis.FOUND, By.CATEGORY)
    by_type = frame.groupby("TYPE")
    in_time = by_type.apply(lambda g: ((g["OnTime_Status"] == "ONTIME") & g["CLOSED_DT"].notna()).sum())
    untold = frame[~stated | theirs.isna()].groupby("TYPE").size()
    for line in found.lines:
        group = by_type.get_group(line.name)
        assert line.counts["found"] == len(group)
        assert line.counts["closed"] == (group["CASE_STATUS"] == "Closed").sum()
        # Off by no more than the cases of the explained classes.
        assert abs(line.counts["on_time"] - in_time[line.name]) <= untold.get(line.name, 0)
    assert found.total.counts["found"] == len(frame)
    took = frame["CLOSED_DT"] - frame["OPEN_DT"]
    took = took[(frame["CASE_STATUS"] == "Closed") & (took >= pd.Timedelta(0))]
    assert found.total.times["to_close"] == pytest.approx(took.median() / pd.Timedelta(hours=1))
    days = figures(Basis.CLOSED, By.DAY)
    shut = frame["CLOSED_DT"].where(frame["CASE_STATUS"] == "Closed").dropna().dt.tz_convert(BOSTON).dt.date
    expected = shut[shut <= date(2015, 12, 31)].value_counts()
    assert {line.key: line.counts["closed"] for line in days.lines if line.counts["closed"]} == {
        day.isoformat(): n for day, n in expected.items()
    }
