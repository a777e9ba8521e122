"""The few calls of Airflow's REST interface that the commands need."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import date
from typing import Any

from grove.errors import InfrastructureError
from grove.runtime.clock import Stopwatch
from infra.local.installation import LOGIN, Installation, password

DAG = "daily_refresh"
START_SECONDS = 120
"""How long the components may take until they answer."""


@dataclass(frozen=True, kw_only=True)
class AirflowApi:
    """An address and a token that opens it."""

    address: str
    token: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request below `/api/v2` and return its JSON answer.

        Raises:
            InfrastructureError: Airflow is not there, or refuses.
        """
        return _request(method, f"{self.address}/api/v2{path}", body=body, token=self.token)

    def runs(self) -> list[dict[str, Any]]:
        """All runs of the daily refresh, newest first."""
        answer = self.call("GET", f"/dags/{DAG}/dagRuns?limit=1000&order_by=-run_after")
        return list(answer["dag_runs"])

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """Task instances of a run."""
        name = urllib.parse.quote(run_id, safe="")
        answer = self.call("GET", f"/dags/{DAG}/dagRuns/{name}/taskInstances?limit=1000")
        return list(answer["task_instances"])

    def unpause(self, dag: str) -> None:
        """Let the scheduler start runs of a DAG."""
        self.call("PATCH", f"/dags/{dag}?update_mask=is_paused", {"is_paused": False})

    def trigger(self, day: date, parameters: dict[str, Any]) -> str:
        """Start a run for a day and return its id."""
        body = {"logical_date": None, "partition_key": str(day), "conf": parameters}
        return str(self.call("POST", f"/dags/{DAG}/dagRuns", body)["dag_run_id"])

    def backfill(self, first: date, last: date, *, again: str) -> None:
        """Have days run in order, oldest first, one at a time.

        Args:
            first: first day.
            last: last day, included.
            again: `failed` also repeats days that failed, `completed` repeats all.
        """
        body = {
            "dag_id": DAG,
            "from_date": f"{first}T00:00:00Z",
            "to_date": f"{last}T23:59:59Z",
            "reprocess_behavior": again,
            "max_active_runs": 1,
        }
        self.call("POST", "/backfills", body)

    def make_pool(self, name: str, slots: int) -> None:
        """Create a pool, or set its size."""
        body = {
            "name": name,
            "slots": slots,
            "description": "jobs at once",
            "include_deferred": False,
        }
        known = {pool["name"] for pool in self.call("GET", "/pools")["pools"]}
        if name in known:
            self.call("PATCH", f"/pools/{name}", body)
        else:
            self.call("POST", "/pools", body)


def open_api(installation: Installation) -> AirflowApi:
    """Log in.

    Raises:
        InfrastructureError: Airflow does not answer.
    """
    answer = _request(
        "POST",
        f"{installation.address}/auth/token",
        body={"username": LOGIN, "password": password(installation)},
    )
    return AirflowApi(address=installation.address, token=answer["access_token"])


def wait_for_airflow(installation: Installation) -> AirflowApi:
    """Wait until every component is healthy and the daily refresh is known.

    Raises:
        InfrastructureError: that took too long.
    """
    watch = Stopwatch()
    while True:
        try:
            api = open_api(installation)
            health = api.call("GET", "/monitor/health")
            api.call("GET", f"/dags/{DAG}")
            if all(part["status"] in ("healthy", None) for part in health.values()):
                return api
        except InfrastructureError:
            if watch.seconds() > START_SECONDS:
                raise
        if watch.seconds() > START_SECONDS + 60:
            raise _unreachable(installation.address, f"unhealthy components: {health}")
        time.sleep(0.5)


def _request(
    method: str, url: str, *, body: dict[str, Any] | None = None, token: str | None = None
) -> Any:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with _DIRECT.open(request, timeout=30) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        detail = error.read().decode(errors="replace")[:500]
        raise _unreachable(url, f"status {error.code}: {detail}") from error
    except OSError as error:
        raise _unreachable(url, str(error)) from error
    return json.loads(text) if text else None


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Airflow runs on this machine: a proxy set for the outside world must not be asked."""


def _unreachable(where: str, found: str) -> InfrastructureError:
    return InfrastructureError(
        "Airflow did not do what was asked",
        where=where,
        expected="an answer",
        found=found,
        next_step="start it with `make run`; the components' logs are in <home>/airflow/logs",
    )
