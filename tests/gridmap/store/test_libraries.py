from __future__ import annotations

import subprocess
import sys

STORY = """
import sys
from gridmap.store.engine import open_engine
engine = open_engine("sqlite:///" + sys.argv[1])
with engine.connect():
    import numpy, shapely, pyproj
    squares = shapely.box(numpy.arange(500), 0, numpy.arange(500) + 2.0, 2)
    for _ in range(20):
        cut = shapely.clip_by_rect(squares, 0.5, 0.5, 300.5, 1.5)
        shapely.orient_polygons(cut)
        shapely.coverage_simplify(squares[::2], 0.01)
        shapely.union_all(shapely.make_valid(squares))
    assert pyproj.Transformer.from_crs(4326, 3857).transform(31, 121)[0] > 1e7
print("fine")
"""


def test_spatialite_does_not_replace_the_geometry_libraries_of_wheels(spatialite_url):
    """A process that opens the store before anything else ended with "free(): invalid size"."""
    file = spatialite_url.removeprefix("sqlite:///")
    done = subprocess.run([sys.executable, "-c", STORY, file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr
