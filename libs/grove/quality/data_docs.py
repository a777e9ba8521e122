"""The Data Docs site of a day: one page per run of a dataset's checks, and an index.

Several stages write to one site, each from its own process. The pages hold the results of Great
Expectations, but are not drawn by its renderer: that writes landed values as raw HTML, loads
scripts and styles from other hosts, and copies 4 MB of pictures into every site. Here every value
is escaped, and a page may load nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from grove.plain_text import json_text, visible

if TYPE_CHECKING:
    from great_expectations.core import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2rem; }}
td, th {{ padding: 0.3rem 1rem; text-align: left; border-bottom: 1px solid #ccc;
vertical-align: top; }}
.failed {{ color: #b00020; }}
</style>
<h1>{title}</h1>
{text}
<table>
<tr>{head}</tr>
{rows}
</table>
</html>
"""
_LONGEST_SHOWN = 500
"""Characters of a value: a title may have millions."""
_INDEX_HEAD = ("Dataset", "Run", "Checked (UTC)", "Checks", "Failed")
_PAGE_HEAD = ("Result", "Check", "Column", "Unexpected", "Some of the unexpected values")


def write_page(outcome: ExpectationSuiteValidationResult, *, run_name: str, folder: str) -> None:
    """Add one page of results to a site and rebuild the site's index.

    Args:
        outcome: results of one suite.
        run_name: name of the run on the index, for example the day and the stage.
        folder: folder of the site; created if it does not exist.
    """
    checked_at: datetime = outcome.meta["validation_time"]
    site = Path(folder)
    run = site / "validations" / outcome.suite_name / run_name / f"{checked_at:%Y%m%dT%H%M%S.%fZ}"
    run.mkdir(parents=True, exist_ok=True)
    page = run / f"{outcome.suite_name}.html"
    _write_whole(page, _results_page(outcome, run_name, checked_at))
    summary = {
        "dataset": outcome.suite_name,
        "run": run_name,
        "time": f"{checked_at:%Y-%m-%d %H:%M:%S.%f}",
        "checks": len(outcome.results),
        # The key is as in summaries of earlier code, which the index of the same day also reads.
        "fallen": sum(not result.success for result in outcome.results),
        "page": page.relative_to(site).as_posix(),
    }
    _write_whole(page.with_suffix(".json"), json_text(summary))
    _write_index(site)


def _results_page(
    outcome: ExpectationSuiteValidationResult, run_name: str, checked_at: datetime
) -> str:
    failed = sum(not result.success for result in outcome.results)
    text = (
        f"<p>{_shown(run_name)}, checked at {checked_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{len(outcome.results)} checks, {failed} failed.</p>"
    )
    ordered = sorted(outcome.results, key=lambda result: bool(result.success))
    rows = "\n".join(map(_result_row, ordered))
    return _page(f"Checks of {outcome.suite_name}", text, _PAGE_HEAD, rows)


def _result_row(result: ExpectationValidationResult) -> str:
    """Row of one check: whether it passed, how many rows break it, and some of their values."""
    kwargs, values = result.expectation_config.kwargs, dict(result.result or {})
    unexpected = int(values.get("unexpected_count") or 0)
    of_rows = f", of {values['element_count']} rows" if "element_count" in values else ""
    cells = (
        "passed" if result.success else "failed",
        result.expectation_config.description,
        kwargs.get("column") or ", ".join(kwargs.get("column_list", ())),
        f"{unexpected} unexpected values found{of_rows}" if unexpected else "none",
    )
    shown = "".join(f"<td>{_shown(cell)}</td>" for cell in cells)
    kind = "" if result.success else ' class="failed"'
    return f"<tr{kind}>{shown}<td>{'<br>'.join(_samples(values))}</td></tr>"


def _samples(values: dict[str, Any]) -> Iterator[str]:
    """Unexpected values with their counts; without counts, some values as they came."""
    counts = values.get("partial_unexpected_counts")
    if isinstance(counts, list) and all("value" in one for one in counts):
        for one in counts:
            yield f"{_shown(one['value'])} ({_shown(one.get('count', '?'))} times)"
        return
    for value in values.get("partial_unexpected_list") or ():
        yield _shown(value)


def _write_index(folder: Path) -> None:
    """Build the index from the summaries beside the pages, newest first.

    Checks of one stage end within the same second: sort by the full time, display seconds.
    """
    files = sorted(folder.glob("validations/**/*.json"))
    summaries = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    summaries.sort(key=lambda summary: summary["time"], reverse=True)
    rows = "\n".join(map(_index_row, summaries))
    _write_whole(folder / "index.html", _page("Checks of the day", "", _INDEX_HEAD, rows))


def _index_row(summary: dict[str, Any]) -> str:
    cells = (summary["run"], summary["time"].partition(".")[0], summary["checks"])
    link = f'<a href="{quote(summary["page"])}">{_shown(summary["dataset"])}</a>'
    shown = "".join(f"<td>{_shown(cell)}</td>" for cell in (*cells, summary["fallen"]))
    return f"<tr><td>{link}</td>{shown}</tr>"


def _page(title: str, text: str, head: tuple[str, ...], rows: str) -> str:
    heads = "".join(f"<th>{name}</th>" for name in head)
    return _PAGE.format(title=_shown(title), text=text, head=heads, rows=rows)


def _shown(value: object) -> str:
    """A value as HTML shows it: no markup, and no character that hides or reorders others."""
    text = visible(value)
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text)} long)"
    return escape(short) or "(empty)"


def _write_whole(file: Path, text: str) -> None:
    """Replace a file atomically: another stage must not read half of it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
