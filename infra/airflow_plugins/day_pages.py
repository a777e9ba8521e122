"""Pages of a day beside Airflow's own: its stages, their checks, and the Data Docs.

They are made from the JSON files that jobs write, and need the login of the UI. Files may hold
landed values, so they are served without permission to run scripts or to load anything. A file
that cannot be read is a row that says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.api_fastapi.core_api.security import get_user
from airflow.models.dagrun import DagRun
from airflow.plugins_manager import AirflowPlugin
from airflow.utils.session import create_session
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from sqlalchemy import select

from grove.day import parse_day
from grove.plain_text import visible
from orchestration.deployment import deployment
from orchestration.links import page_path

FOLDERS = ("data_docs", "notices", "reports", "verdicts")
"""Folders of the home that these pages may read."""
CLOSED = "default-src 'none'; style-src 'unsafe-inline'"
"""Content policy of every page: it loads nothing and runs nothing."""
INERT = {
    "Content-Security-Policy": f"sandbox allow-popups; {CLOSED}",
    "X-Content-Type-Options": "nosniff",
}
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""Errors of a file that is torn, or of another form than the jobs write."""
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
    serving = _serving(pointer) if pointer.is_file() else "nothing yet"
    days = sorted((path.name for path in Path(layout.home, "reports").glob("*-*-*")), reverse=True)
    links = "".join(f'<li><a href="days/{quote(day)}">{_shown(day)}</a>' for day in days)
    return _page("Grove", f"<p>Serving: <b>{_shown(serving)}</b></p><ul>{links}</ul>")


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
    if folder not in FOLDERS or not _is_file_below(root, path):
        raise HTTPException(404, "no such file")
    return FileResponse((root / path).resolve(), headers=INERT)


def _is_file_below(root: Path, path: str) -> bool:
    try:
        file = (root / path).resolve()
        return file.is_relative_to(root) and file.is_file()
    except (OSError, ValueError):  # A name that is too long, or holds NUL.
        return False


def _serving(pointer: Path) -> object:
    try:
        return _read(pointer).get("release", "?")
    except UNREADABLE:
        return f"unknown: {pointer} cannot be read"


def _stage_table(day: date) -> str:
    folder = Path(deployment().layout.report(day, "any")).parent
    rows = "".join(_stage_row(day, file) for file in sorted(folder.glob("*.json")))
    head = "<tr><th>stage<th>status<th>rows in<th>rows out<th>rejected<th>seconds"
    return f"<h2>Stages</h2><table>{head}{rows}</table>"


def _stage_row(day: date, file: Path) -> str:
    link = f'<a href="../files/reports/{day}/{quote(file.name)}">{_shown(file.stem)}</a>'
    try:
        cells = _stage_cells(_read(file))
    except UNREADABLE:
        cells = '<td class="fail">cannot be read'
    return f"<tr><td>{link}{cells}"


def _stage_cells(report: dict[str, Any]) -> str:
    counts = "".join(f'<td class="n">{report["rows"][key]:,}' for key in ("in", "out", "rejected"))
    kind = "" if report["status"] == "committed" else ' class="fail"'
    seconds = sum(report["seconds"].values())
    return f'<td{kind}>{_shown(report["status"])}{counts}<td class="n">{seconds:.1f}'


def _check_table(day: date) -> str:
    head = "<tr><th>dataset<th>stage<th>check<th>expected<th>observed<th>rows"
    rows = "".join(_check_rows(day))
    return f"<h2>Failed checks</h2><table>{head}{rows or '<tr><td>none'}</table>"


def _check_rows(day: date) -> Iterator[str]:
    root = Path(deployment().layout.verdict(day, "stage", "dataset")).parents[1]
    for file in sorted(root.glob("*/*.json")):
        try:
            failed = [result for result in _read(file)["results"] if not result["passed"]]
            yield from [_check_row(file, result) for result in failed]
        except UNREADABLE:
            place = f"<td>{_shown(file.stem)}<td>{_shown(file.parent.name)}"
            yield f'<tr class="fail">{place}<td>cannot be read<td><td><td>'


def _check_row(file: Path, result: dict[str, Any]) -> str:
    cells = (file.stem, file.parent.name, result["name"], result["expected"])
    more = (result["observed"], result["unexpected_rows"])
    text = "".join(f"<td>{_shown(cell)}" for cell in (*cells, *more))
    return f'<tr class="{"fail" if result["severity"] == "fail" else "warn"}">{text}'


def _docs_list(day: date) -> str:
    root = Path(deployment().layout.data_docs(day))
    pages = sorted(file.relative_to(root) for file in root.glob("**/validations/**/*.html"))
    links = "".join(
        f'<li><a href="../files/data_docs/{day}/{quote(str(page))}">{_shown(page)}</a>'
        for page in pages
    )
    return f"<h2>Data Docs</h2><ul>{links or '<li>none'}</ul>"


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _shown(value: object) -> str:
    """A value as HTML shows it: no markup, and no character that hides or reorders others."""
    return escape(visible(value))


def _page(title: str, body: str) -> HTMLResponse:
    headers = {"Content-Security-Policy": CLOSED}
    return HTMLResponse(PAGE.format(title=_shown(title), body=body), headers=headers)


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
