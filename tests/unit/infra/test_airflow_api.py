"""Requests to Airflow's API, and the next step after a request that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from grove.errors import InfrastructureError
from infra.local.airflow_api import PAGE, AirflowApi

Answers = dict[tuple[str, str], tuple[int, Any]]


class Handler(BaseHTTPRequestHandler):
    """Responses by method and path; records the requests."""

    answers: Answers
    asked: list[tuple[str, str, Any]]

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.removeprefix("/api/v2")
        self.asked.append((self.command, path, body))
        status, value = self.answers[(self.command, path.partition("?")[0])]
        value = value(path) if callable(value) else value
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    do_GET = do_POST = do_PATCH = answer  # noqa: N815  the server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base names it
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[type[Handler]]:
    handler = type("Handler", (Handler,), {"answers": {}, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.api = AirflowApi(address=f"http://127.0.0.1:{server.server_port}", token="t")
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield handler
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "next_step"),
    [
        (400, "correct the command"),
        (401, "make stop"),
        (404, "check the day and the name"),
        (409, "wait until the existing backfill"),
        (422, "correct the command"),
        (503, "repeat the command"),
    ],
)
def test_the_next_step_depends_on_the_status(server: Any, status: int, next_step: str) -> None:
    server.answers[("POST", "/backfills")] = (status, {"detail": "Airflow's words"})
    with pytest.raises(InfrastructureError) as caught:
        server.api.backfill(date(2026, 8, 19), date(2026, 8, 20), again="failed")
    assert next_step in caught.value.next_step
    assert "start" not in caught.value.next_step
    assert f"status {status}" in caught.value.found
    assert "Airflow's words" in caught.value.found


def test_without_a_running_airflow_the_next_step_is_to_start_it() -> None:
    api = AirflowApi(address="http://127.0.0.1:9", token="t")
    with pytest.raises(InfrastructureError, match="start Airflow with `make run`"):
        api.runs()


def test_all_runs_are_read_page_by_page(server: Any) -> None:
    runs = [{"dag_run_id": str(number)} for number in range(2 * PAGE + 1)]

    def page(path: str) -> dict[str, Any]:
        offset = int(path.partition("offset=")[2].partition("&")[0])
        return {"dag_runs": runs[offset : offset + PAGE], "total_entries": len(runs)}

    server.answers[("GET", "/dags/daily_refresh/dagRuns")] = (200, page)
    assert server.api.runs() == runs
    assert len(server.asked) == 3


def known(*dags: tuple[str, bool]) -> tuple[int, dict[str, Any]]:
    found = [{"dag_id": name, "is_paused": paused} for name, paused in dags]
    return 200, {"dags": found, "total_entries": len(found)}


def test_a_known_dag_is_paused(server: Any) -> None:
    server.answers[("GET", "/dags")] = known(("my_daily_refresh", False), ("daily_refresh", False))
    server.answers[("PATCH", "/dags/daily_refresh")] = (200, {})
    server.api.pause("daily_refresh")
    assert server.asked[-1] == (
        "PATCH",
        "/dags/daily_refresh?update_mask=is_paused",
        {"is_paused": True},
    )


def test_a_dag_that_was_never_parsed_needs_no_pause(server: Any) -> None:
    server.answers[("GET", "/dags")] = known(("my_daily_refresh", False))
    server.api.pause("daily_refresh")
    assert len(server.asked) == 1


@pytest.mark.parametrize("dags", [(), (("daily_refresh", True),)])
def test_nothing_is_started_in_a_paused_dag(server: Any, dags: tuple[Any, ...]) -> None:
    server.answers[("GET", "/dags")] = known(*dags)
    with pytest.raises(InfrastructureError, match="so no run would start"):
        server.api.require_unpaused("daily_refresh")
    server.answers[("GET", "/dags")] = known(("daily_refresh", False))
    server.api.require_unpaused("daily_refresh")


@pytest.mark.parametrize(("ended", "goes_on"), [("2026-08-20T00:00:00Z", False), (None, True)])
def test_a_backfill_is_active_until_it_has_ended(
    server: Any, ended: str | None, goes_on: bool
) -> None:
    backfills = [{"completed_at": "2026-08-19T00:00:00Z"}, {"completed_at": ended}]
    server.answers[("GET", "/backfills")] = (200, {"backfills": backfills})
    assert server.api.is_backfilling() is goes_on
