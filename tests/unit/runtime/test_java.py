"""Missing Java and missing jars give a clear error before Spark starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from grove.errors import InfrastructureError
from grove.runtime.java import DELTA_JARS, delta_jars, require_java


@pytest.fixture
def no_java(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_without_java_the_error_says_how_to_install_it(no_java):
    with pytest.raises(InfrastructureError, match="make setup"):
        require_java()


def test_a_java_home_without_java_is_no_java(no_java, monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InfrastructureError, match="no Java to run Spark on"):
        require_java()


def test_java_home_is_enough(no_java, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InfrastructureError):
        require_java()
    (tmp_path / "bin" / "java").touch(mode=0o755)
    assert require_java() is None


def test_a_java_on_the_path_is_enough(no_java, tmp_path):
    with pytest.raises(InfrastructureError):
        require_java()
    (tmp_path / "java").touch(mode=0o755)
    assert require_java() is None


def test_under_spark_submit_a_jvm_runs_already(no_java, monkeypatch):
    with pytest.raises(InfrastructureError):
        require_java()
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "25333")
    assert require_java() is None


def test_missing_jars_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("GROVE_JARS", str(tmp_path))
    (tmp_path / DELTA_JARS[0]).touch()
    with pytest.raises(InfrastructureError, match=f"no {DELTA_JARS[1]}"):
        delta_jars()
    (tmp_path / DELTA_JARS[1]).touch()
    assert [Path(jar).name for jar in delta_jars()] == list(DELTA_JARS)
