"""Pages of a day beside Airflow's own: its stages, their checks, and the Data Docs.

They are made from the JSON files that jobs write, and need the login of the UI. Pages of
Great Expectations show landed values, so they are served without permission to run scripts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from airflow.models.dagrun import DagRun
from airflow.plugins_manager import AirflowPlugin
from airflow.utils.session import create_session
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from sqlalchemy import select

from grove.day import parse_day
from orchestration.deployment import deployment
from orchestration.links import page_path

FOLDERS = ("data_docs", "notices", "reports", "verdicts")
"""Folders of the home that these pages may read."""
INERT = {"Content-Security-Policy": "sandbox allow-popups", "X-Content-Type-Options": "nosniff"}
PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem}}
table{{border-collapse:collapse;width:100%}}td,th{{padding:.3rem .8rem;text-align:left;
border-bottom:1px solid #ddd}}td.n{{text-align:right;font-variant-numeric:tabular-nums}}
.fail{{color:#b00020}}.warn{{color:#8a5a00}}</style>
<h1>{title}</h1>{body}"""

app = FastAPI(title="Grove", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None)


@app.get("/days", response_class=HTMLResponse)
def list_days() -> HTMLResponse:
    """Every day with a report, newest first, and the served release."""
    layout = deployment().layout
    pointer = Path(layout.current_pointer())
    serving = _read(pointer).get("release", "?") if pointer.is_file() else "nothing yet"
    days = sorted((path.name for path in Path(layout.home, "reports").glob("*-*-*")), reverse=True)
    links = "".join(f'<li><a href="days/{escape(day)}">{escape(day)}</a>' for day in days)
    return _page("Grove", f"<p>Serving: <b>{escape(serving)}</b></p><ul>{links}</ul>")


@app.get("/days/{day}", response_class=HTMLResponse)
def show_day(day: date) -> HTMLResponse:
    """Stages of a day, their failed checks, and links to their output."""
    return _page(str(day), _stage_table(day) + _check_table(day) + _docs_list(day))


@app.get("/runs/{dag_id}/{run_id}")
def show_run(dag_id: str, run_id: str) -> RedirectResponse:
    """Redirect to the page of a run's day."""
    wanted = select(DagRun.partition_key).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
    with create_session() as session:
        day = session.scalar(wanted)
    if day is None:
        raise HTTPException(404, "this run has no day")
    try:
        return RedirectResponse(page_path(f"days/{parse_day(day)}"))
    except ValueError as error:
        raise HTTPException(404, f"the key of this run: {error}") from error


@app.get("/files/{folder}/{path:path}")
def show_file(folder: str, path: str) -> FileResponse:
    """One file of the readable folders."""
    root = Path(deployment().layout.home).resolve() / folder
    file = (root / path).resolve()
    if folder not in FOLDERS or not file.is_relative_to(root) or not file.is_file():
        raise HTTPException(404, "no such file")
    return FileResponse(file, headers=INERT)


def _stage_table(day: date) -> str:
    folder = Path(deployment().layout.report(day, "any")).parent
    rows = "".join(_stage_row(day, file) for file in sorted(folder.glob("*.json")))
    head = "<tr><th>stage<th>status<th>rows in<th>rows out<th>rejected<th>seconds"
    return f"<h2>Stages</h2><table>{head}{rows}</table>"


def _stage_row(day: date, file: Path) -> str:
    report = _read(file)
    stage, status = escape(file.stem), escape(report["status"])
    counts = "".join(f'<td class="n">{report["rows"][key]:,}' for key in ("in", "out", "rejected"))
    kind = "" if report["status"] == "committed" else ' class="fail"'
    link = f'<a href="../files/reports/{day}/{stage}.json">{stage}</a>'
    seconds = sum(report["seconds"].values())
    return f'<tr><td>{link}<td{kind}>{status}{counts}<td class="n">{seconds:.1f}'


def _check_table(day: date) -> str:
    head = "<tr><th>dataset<th>stage<th>check<th>expected<th>observed<th>rows"
    rows = "".join(_check_rows(day))
    return f"<h2>Failed checks</h2><table>{head}{rows or '<tr><td>none'}</table>"


def _check_rows(day: date) -> Iterator[str]:
    root = Path(deployment().layout.verdict(day, "stage", "dataset")).parents[1]
    for file in sorted(root.glob("*/*.json")):
        for result in _read(file)["results"]:
            if not result["passed"]:
                cells = (file.stem, file.parent.name, result["name"], result["expected"])
                more = (result["observed"], result["unexpected_rows"])
                text = "".join(f"<td>{escape(str(cell))}" for cell in (*cells, *more))
                yield f'<tr class="{escape(result["severity"])}">{text}'


def _docs_list(day: date) -> str:
    root = Path(deployment().layout.data_docs(day))
    pages = sorted(file.relative_to(root) for file in root.glob("**/validations/**/*.html"))
    links = "".join(
        f'<li><a href="../files/data_docs/{day}/{escape(str(page))}">{escape(str(page))}</a>'
        for page in pages
    )
    return f"<h2>Data Docs</h2><ul>{links or '<li>none'}</ul>"


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _page(title: str, body: str) -> HTMLResponse:
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(PAGE.format(title=escape(title), body=body), headers=headers)


class GrovePages(AirflowPlugin):
    """Adds the pages to Airflow's UI: a menu entry, and a tab of every run."""

    name = "grove_pages"
    fastapi_apps = [{"app": app, "url_prefix": "/grove", "name": "Grove"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Grove days",
            "href": page_path("days"),
            "destination": "nav",
            "url_route": "grove",
        },
        {
            "name": "Day",
            "href": page_path("runs/{DAG_ID}/{RUN_ID}"),
            "destination": "dag_run",
            "url_route": "grove_day",
        },
    ]
