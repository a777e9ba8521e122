"""Buttons of a task in Airflow's UI: the report of its stage, and its day's page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf


def page(path: str) -> str:
    """Address of one of Grove's pages beside Airflow's UI."""
    return f"{conf.get('api', 'base_url', fallback='').rstrip('/')}/grove/{path}"


def page_path(path: str) -> str:
    """Path of one of Grove's pages, without a host: the UI may be opened under several host names.

    A login is valid for one host name only, so a page inside the UI must not name a host.
    """
    return urlsplit(page(path)).path


class ReportLink(BaseOperatorLink):
    """The JSON report of the task's stage."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Address of the report, once the task's templates are rendered."""
        return page(f"files/reports/{quote(operator.day, safe='')}/{quote(operator.stage)}.json")


class DayLink(BaseOperatorLink):
    """Stages, failed checks and Data Docs of the task's day."""

    name = "Day"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Address of the page, once the task's templates are rendered."""
        return page(f"days/{quote(operator.day, safe='')}")
