"""``gridmap serve`` as a process."""

from __future__ import annotations

import signal
import socket

from click.testing import CliRunner

from tests.real_server import Server
from web.command import program


def test_one_process_prepares_builds_the_demo_and_serves_it(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = f"sqlite:///{tmp_path / 'gridmap.sqlite'}"
    options = ("--demo", "--cells", "6", "--problems", "40")
    server = Server(tmp_path, store, port, settings={"GRIDMAP_LANGUAGE": "en"}, options=options)
    said = []
    for _ in range(2):
        server.start()
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0
        said.append(server.log[-1].read_text())
    assert "The demo district is ready: 6 cells" in said[0]
    assert "is ready: " not in said[1]
    for words in said:
        assert "  worker" in words
        assert f"Serving on http://127.0.0.1:{port}/" in words


def test_without_the_demo_no_more_is_taken(tmp_path):
    result = CliRunner().invoke(program, ["serve", "--cells", "6"], env={"GRIDMAP_DATA_DIR": str(tmp_path)})
    assert result.exit_code == 2
    assert "--cells" in result.output
