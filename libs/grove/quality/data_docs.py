"""The Data Docs site of a day: one page per run of a dataset's checks.

Several stages write to one site, each from its own process. Great Expectations would build the
index from the results of its own process, delete all other pages, and load scripts from the
network. Therefore it renders only the pages; this module writes the index, a plain table built
from one small file per page.
"""

from __future__ import annotations

import html
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from grove.quality.library import import_great_expectations

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context.types.resource_identifiers import (
        ValidationResultIdentifier,
    )

_SITE = "day"
_INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Data Docs</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2rem; }}
td, th {{ padding: 0.3rem 1rem; text-align: left; border-bottom: 1px solid #ccc; }}
</style>
<h1>Checks of the day</h1>
<table>
<tr><th>Dataset</th><th>Run</th><th>Checked (UTC)</th><th>Checks</th><th>Failed</th></tr>
{rows}
</table>
</html>
"""
_ROW = (
    '<tr><td><a href="{link}">{dataset}</a></td><td>{run}</td><td>{time}</td>'
    "<td>{checks}</td><td>{fallen}</td></tr>"
)


def write_page(outcome: ExpectationSuiteValidationResult, *, run_name: str, folder: str) -> None:
    """Add one page of results to a site and rebuild the site's index.

    Args:
        outcome: results of one suite.
        run_name: name of the run on the index, for example the day and the stage.
        folder: folder of the site; created if it does not exist.
    """
    _complete_passed_results(outcome)
    page = _write_gx_page(outcome, run_name=run_name, folder=folder)
    summary = {
        "dataset": outcome.suite_name,
        "run": run_name,
        "time": f"{outcome.meta['validation_time']:%Y-%m-%d %H:%M:%S.%f}",
        "checks": len(outcome.results),
        # The key is as in summaries of earlier code, which the index of the same day also reads.
        "fallen": sum(not result.success for result in outcome.results),
        "page": page.relative_to(Path(folder).resolve()).as_posix(),
    }
    _write_whole(page.with_suffix(".json"), json.dumps(summary))
    _write_index(Path(folder))


def _complete_passed_results(outcome: ExpectationSuiteValidationResult) -> None:
    """Add the counts that a passed check without tolerated rows implies: 0 unexpected rows."""
    for result in outcome.results:
        if result.success and result.expectation_config.kwargs.get("mostly", 1) == 1:
            result.result = {"unexpected_count": 0, "unexpected_percent": 0.0}


def _write_gx_page(
    outcome: ExpectationSuiteValidationResult, *, run_name: str, folder: str
) -> Path:
    context = import_great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    files = {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder}
    site = {"class_name": "SiteBuilder", "show_how_to_buttons": False, "store_backend": files}
    context.add_data_docs_site(site_name=_SITE, site_config=site)
    page = _identifier(outcome, run_name)
    context.validation_results_store.set(page, outcome)
    context.build_data_docs(site_names=[_SITE], resource_identifiers=[page], build_index=False)
    time = f"{page.run_id.run_time:%Y%m%dT%H%M%S.%fZ}"
    run_folder = Path(folder).resolve() / "validations" / outcome.suite_name / run_name / time
    return next(run_folder.glob("*.html"))


def _identifier(
    outcome: ExpectationSuiteValidationResult, run_name: str
) -> ValidationResultIdentifier:
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    run = RunIdentifier(run_name=run_name, run_time=outcome.meta["validation_time"])
    outcome.meta["run_id"] = run
    return ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(outcome.suite_name),
        run_id=run,
        batch_identifier=outcome.batch_id,
    )


def _write_index(folder: Path) -> None:
    """Build the index from the summaries beside the pages, newest first.

    Checks of one stage end within the same second: sort by the full time, display seconds.
    """
    files = sorted(folder.glob("validations/**/*.json"))
    summaries = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    summaries.sort(key=lambda summary: summary["time"], reverse=True)
    for summary in summaries:
        summary["time"] = summary["time"].partition(".")[0]
    rows = "\n".join(
        _ROW.format(
            link=quote(summary.pop("page")),
            **{key: html.escape(str(value)) for key, value in summary.items()},
        )
        for summary in summaries
    )
    _write_whole(folder / "index.html", _INDEX.format(rows=rows))


def _write_whole(file: Path, text: str) -> None:
    """Replace a file atomically: another stage must not read half of it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
