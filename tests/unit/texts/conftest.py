"""Fixtures of the tests of texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.texts.tiny_decoder import make_decoder


@pytest.fixture(scope="session")
def decoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small decoder, made once."""
    return make_decoder(tmp_path_factory.mktemp("decoder"))
