"""Client of Airflow's REST API, limited to the calls that the commands need."""

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
LOGS = "the components' logs are in var/<source>/airflow/logs"
LOG_IN_AGAIN = "log in again with `make stop`, then `make run`"
NEXT_STEPS = {
    401: LOG_IN_AGAIN,
    403: LOG_IN_AGAIN,
    404: "check the day and the name: Airflow has no such run or DAG",
    409: "wait until the existing backfill or run has ended, or end it in the UI, then repeat the "
    "command",
}
"""Next step after an HTTP status with a known cause."""
SERVER_FAILED = 500
PAGE = 100
"""Page size: the most rows that Airflow returns per request."""
START_SECONDS = 120
"""Time limit for the start of the components, in seconds."""


@dataclass(frozen=True, kw_only=True)
class AirflowApi:
    """Address of a running Airflow, and the token of a login."""

    address: str
    token: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request to a path under `/api/v2` and return the JSON response.

        Raises:
            InfrastructureError: Airflow does not respond, or rejects the request.
        """
        return _request(method, f"{self.address}/api/v2{path}", body=body, token=self.token)

    def runs(self) -> list[dict[str, Any]]:
        """All runs of the daily refresh, newest first."""
        found: list[dict[str, Any]] = []
        while True:
            page = f"limit={PAGE}&offset={len(found)}&order_by=-id"
            answer = self.call("GET", f"/dags/{DAG}/dagRuns?{page}")
            found += answer["dag_runs"]
            if len(found) >= answer["total_entries"] or not answer["dag_runs"]:
                return found

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """Task instances of a run."""
        name = urllib.parse.quote(run_id, safe="")
        answer = self.call("GET", f"/dags/{DAG}/dagRuns/{name}/taskInstances?limit=1000")
        return list(answer["task_instances"])

    def pause(self, dag: str) -> None:
        """Keep the scheduler from starting runs of a DAG; no effect if the DAG is unknown."""
        if self._find(dag) is not None:
            self._set_paused(dag, value=True)

    def unpause(self, dag: str) -> None:
        """Let the scheduler start runs of a DAG."""
        self._set_paused(dag, value=False)

    def require_unpaused(self, dag: str) -> None:
        """Require that the scheduler can start runs of a DAG.

        Raises:
            InfrastructureError: the DAG is paused or unknown. `trigger` and `backfill` must not
                unpause it, because that would also start yesterday's run.
        """
        found = self._find(dag)
        if found is None or found["is_paused"]:
            raise InfrastructureError(
                f"{dag} is paused, so no run would start",
                where=f"{self.address}/dags/{dag}",
                expected="a DAG that is not paused",
                found="a paused DAG" if found else "no such DAG",
                next_step="`make run` runs the missing days and unpauses it; or unpause it in the "
                "UI, then repeat the command",
            )

    def trigger(self, day: date, parameters: dict[str, Any]) -> str:
        """Start a run for a day and return its id."""
        body = {"logical_date": None, "partition_key": str(day), "conf": parameters}
        return str(self.call("POST", f"/dags/{DAG}/dagRuns", body)["dag_run_id"])

    def is_backfilling(self) -> bool:
        """Whether a backfill of the daily refresh is active; Airflow allows one at a time."""
        answer = self.call("GET", f"/backfills?dag_id={DAG}&order_by=-id&limit=100")
        return any(backfill["completed_at"] is None for backfill in answer["backfills"])

    def backfill(self, first: date, last: date, *, again: str) -> None:
        """Run days in order, oldest first, one at a time.

        Args:
            first: first day.
            last: last day, inclusive.
            again: `failed` also repeats days that failed, `completed` repeats all days.
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
            "description": "concurrent jobs",
            "include_deferred": False,
        }
        known = {pool["name"] for pool in self.call("GET", "/pools")["pools"]}
        if name in known:
            self.call("PATCH", f"/pools/{name}", body)
        else:
            self.call("POST", "/pools", body)

    def _find(self, dag: str) -> dict[str, Any] | None:
        # A DAG whose file was not parsed recently is marked as stale, but still starts runs.
        answer = self.call("GET", f"/dags?dag_id_pattern={dag}&exclude_stale=false&limit=100")
        return next((found for found in answer["dags"] if found["dag_id"] == dag), None)

    def _set_paused(self, dag: str, *, value: bool) -> None:
        self.call("PATCH", f"/dags/{dag}?update_mask=is_paused", {"is_paused": value})


def open_api(installation: Installation) -> AirflowApi:
    """Log in and return a client.

    Raises:
        InfrastructureError: Airflow does not respond.
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
        InfrastructureError: the components were not healthy in time.
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
            raise _unreachable(
                installation.address,
                found=f"unhealthy components: {health}",
                next_step="read the end of their logs in var/<source>/airflow/logs, then "
                "`make stop` and `make run` again",
            )
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
        raise _unreachable(
            f"{method} {url}",
            found=f"status {error.code}: {detail}",
            next_step=next_step_after(error.code),
        ) from error
    except OSError as error:
        raise _unreachable(
            url, found=str(error), next_step=f"start Airflow with `make run`; {LOGS}"
        ) from error
    return json.loads(text) if text else None


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Ignores the proxy settings of the environment, because Airflow runs on this machine."""


def next_step_after(status: int) -> str:
    """Next step after Airflow rejected a request.

    Example:
        >>> next_step_after(404)
        'check the day and the name: Airflow has no such run or DAG'
    """
    if status >= SERVER_FAILED:
        return f"wait a moment and repeat the command; {LOGS}"
    return NEXT_STEPS.get(status, "correct the command: Airflow's message above names the error")


def _unreachable(where: str, *, found: str, next_step: str) -> InfrastructureError:
    return InfrastructureError(
        "Airflow did not carry out the request",
        where=where,
        expected="a successful response",
        found=found,
        next_step=next_step,
    )
