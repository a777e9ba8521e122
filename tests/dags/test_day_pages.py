"""Pages of a day: they require the login, show what jobs wrote, and expose no other file."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from html import escape
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from conftest import REPOSITORY
from grove.datasets import Layout
from grove.plain_text import visible

DAY = date(2026, 8, 20)
REPORT = {
    "stage": "ingest_landing",
    "status": "committed",
    "rows": {"in": 12345, "out": 12000, "rejected": 345},
    "seconds": {"session": 5.0, "work": 7.5},
}
FALLEN = {
    "name": "volume",
    "severity": "warn",
    "passed": False,
    "expected": "about <100>",
    "observed": "9",
    "unexpected_rows": 0,
}


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    file = REPOSITORY / "infra/airflow_plugins/day_pages.py"
    spec = importlib.util.spec_from_file_location("day_pages", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def layout(tmp_path: Path, pages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Layout:
    layout = Layout(str(tmp_path / "home"))
    monkeypatch.setattr(pages, "deployment", lambda: SimpleNamespace(layout=layout))
    write(layout.report(DAY, "ingest_landing"), json.dumps(REPORT))
    write(layout.verdict(DAY, "ingest_landing", "items"), json.dumps({"results": [FALLEN]}))
    write(f"{layout.data_docs(DAY)}/validations/items/page.html", "<p>docs</p>")
    write(str(tmp_path / "secret.json"), "secret")
    return layout


@pytest.fixture
def client(pages: ModuleType, layout: Layout) -> Iterator[TestClient]:
    pages.app.dependency_overrides[get_user] = lambda: "admin"
    yield TestClient(pages.app)
    pages.app.dependency_overrides.clear()


def write(path: str, text: str) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("path", ["/days", "/days/2026-08-20", "/files/reports/x", "/runs/a/b"])
def test_nothing_is_shown_without_a_login(pages: ModuleType, layout: Layout, path: str) -> None:
    assert TestClient(pages.app).get(path, follow_redirects=False).status_code == 401


def test_a_day_shows_stages_failed_checks_and_docs(client: TestClient) -> None:
    text = client.get("/days/2026-08-20").text
    assert "12,345" in text
    assert "12.5" in text
    assert "about &lt;100&gt;" in text
    assert "../files/data_docs/2026-08-20/validations/items/page.html" in text


def test_days_are_listed_with_the_served_release(client: TestClient, layout: Layout) -> None:
    assert "nothing yet" in client.get("/days").text
    write(layout.current_pointer(), '{"release": "2026-08-20.1"}')
    text = client.get("/days").text
    assert "2026-08-20.1" in text
    assert 'href="days/2026-08-20"' in text


def test_files_are_inert_and_only_from_four_folders(client: TestClient) -> None:
    answer = client.get("/files/data_docs/2026-08-20/validations/items/page.html")
    assert answer.text == "<p>docs</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    for path in ("reports/..%2F..%2Fsecret.json", "airflow/secrets.json", "reports/none.json"):
        assert client.get(f"/files/{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["reports/a%00b", f"reports/{'a' * 5000}", f"reports/{'a/' * 3000}", "verdicts/%E2%80%AE"],
)
def test_a_name_that_no_file_can_have_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(f"/files/{path}").status_code == 404


def test_files_load_nothing(client: TestClient) -> None:
    answer = client.get("/files/data_docs/2026-08-20/validations/items/page.html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x>',
    "\x1b]8;;http://x\x1b",
    "a\u202egum",
    "[/b]",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_values_of_reports_verdicts_and_the_pointer_are_text(
    client: TestClient, layout: Layout, text: str
) -> None:
    write(layout.report(DAY, "ingest_landing"), json.dumps(REPORT | {"status": text}))
    verdict = {"results": [FALLEN | {"observed": text, "expected": text, "severity": text}]}
    write(layout.verdict(DAY, "ingest_landing", "items"), json.dumps(verdict))
    write(layout.current_pointer(), json.dumps({"release": text}))
    for page, times in (("/days", 1), ("/days/2026-08-20", 3)):
        shown = client.get(page).text
        assert shown.count(escape(visible(text))) >= times
        assert "<script" not in shown
        assert "<img" not in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rows": {}}', '{"results": [1]}', '"x"', "\ud800"]
)
def test_a_file_that_cannot_be_read_is_a_row_of_its_own(
    client: TestClient, layout: Layout, text: str
) -> None:
    for path in (
        layout.report(DAY, "torn"),
        layout.verdict(DAY, "torn", "items"),
        layout.current_pointer(),
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(text.encode("utf-8", "surrogatepass"))
    shown = client.get("/days/2026-08-20").text
    assert "12,345" in shown
    assert shown.count("cannot be read") == 2
    assert client.get("/days").status_code == 200


def test_the_plugin_adds_a_menu_entry_and_a_tab_of_every_run(pages: ModuleType) -> None:
    places = {view["destination"]: view["href"] for view in pages.GrovePages.external_views}
    assert places == {"nav": "/grove/days", "dag_run": "/grove/runs/{DAG_ID}/{RUN_ID}"}


def test_a_run_leads_to_its_day_under_the_path_airflow_is_served_at(
    pages: ModuleType, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = SimpleNamespace(scalar=lambda _: "2026-08-20")
    monkeypatch.setattr(pages, "create_session", lambda: nullcontext(session))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://host.example/airflow")
    answer = client.get("/runs/daily_refresh/manual__1", follow_redirects=False)
    assert answer.headers["location"] == "/airflow/grove/days/2026-08-20"


@pytest.mark.parametrize("key", [None, "2026-8-20", "20260820", "yesterday"])
def test_a_run_whose_key_is_no_day_has_no_page(
    pages: ModuleType, client: TestClient, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    session = SimpleNamespace(scalar=lambda _: key)
    monkeypatch.setattr(pages, "create_session", lambda: nullcontext(session))
    assert client.get("/runs/daily_refresh/manual__1", follow_redirects=False).status_code == 404
