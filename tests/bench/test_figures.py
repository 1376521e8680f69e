"""The benches' own arithmetic: ratios, lines, percentiles, and the load client against a real server."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.bench._base import Figure, Options, benches, figures, percentile
from tests.bench._load import drive, render

KEYS = ["bench", "figure", "value", "unit", "peer", "peer_value", "ratio"]


def test_a_line_has_exactly_the_published_keys_and_a_reason_only_when_there_is_one() -> None:
    alone = Figure(bench="b", figure="f", value=1.23456, unit="ms")
    assert json.loads(alone.line()) == dict(zip(KEYS, ["b", "f", 1.23, "ms", None, None, None], strict=True))
    (missing,) = figures("b", {"f": (1.0, "ms")}, "p", None, "no network")
    assert json.loads(missing.line())["reason"] == "no network"
    assert json.loads(missing.line())["peer_value"] is None


@pytest.mark.parametrize(("unit", "ratio"), [("ms", 4.0), ("MB", 4.0), ("images/s", 0.25)])
def test_a_ratio_above_one_means_ours_is_better(unit: str, ratio: float) -> None:
    assert Figure(bench="b", figure="f", value=2, unit=unit, peer="p", peer_value=8).ratio == ratio


def test_a_peer_stands_only_beside_the_figures_it_was_measured_for() -> None:
    first, second = figures("b", {"x": (1.0, "ms"), "y": (2.0, "ms")}, "p", {"x": 3.0})
    assert (first.peer, first.ratio) == ("p", 3.0)
    assert (second.peer, second.ratio) == (None, None)


def test_percentiles_are_values_that_were_measured() -> None:
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0, 0.5, 0.99, 1)] == [1, 50, 99, 100]
    assert percentile([7.0], 0.99) == 7.0


def test_scaling_keeps_enough_to_measure(tmp_path: Path) -> None:
    assert Options(folder=tmp_path, scale=0.1).times(1_000) == 100
    assert Options(folder=tmp_path, scale=0.001).times(1_000, least=8) == 8


def test_the_benches_are_registered() -> None:
    assert set(benches()) >= {"start", "memory", "import", "save", "list", "label", "tiles", "click", "people"}


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/close":
            self.close_connection = True
        self.send_response(201)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/close":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("path", ["/", "/chunked", "/close"])
def test_the_load_client_answers_for_every_request(path: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        request = render("POST", path, {"Host": "127.0.0.1"}, b"x" * 300_000)
        outcome = drive(f"http://127.0.0.1:{server.server_port}", [request] * 12, 3)
        server.shutdown()
    assert outcome.statuses == {201: 12}
    assert len(outcome.latencies_ms) == 12
    assert min(outcome.latencies_ms) > 0
    with pytest.raises(RuntimeError, match="statuses"):
        outcome.require(200)
