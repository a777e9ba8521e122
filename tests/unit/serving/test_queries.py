"""A query becomes the vector that the release's own encoder gives it, or none."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from grove.errors import DataError
from grove.release.manifest import Manifest
from grove.serving import query_vector
from grove.texts.encoder import EncoderSpec, encoder_folder, load_encoder
from grove.texts.fingerprint import encoder_fingerprint

SPEC = EncoderSpec(folder=encoder_folder("default"), max_tokens=16)


def manifest(encoder: str) -> Manifest:
    return Manifest(
        release_id="2026-08-20.1",
        day=date(2026, 8, 20),
        content="c",
        code_version="c",
        files={},
        table_versions={},
        settings={"texts": {"encoder": "default", "max_tokens": 16}},
        plan={"shape": {"encoder": encoder}},
    )


def test_a_query_is_embedded_as_the_releases_texts_were():
    found = query_vector(manifest(encoder_fingerprint(SPEC)), "  nail   polish ")
    assert found is not None
    assert np.array_equal(found, load_encoder(SPEC).encode(["nail polish"])[0])


def test_a_blank_query_has_no_vector():
    assert query_vector(manifest("any"), "  ") is None


def test_another_encoder_is_rejected():
    with pytest.raises(DataError, match="not that of the release") as caught:
        query_vector(manifest("0" * 16), "nail polish")
    assert encoder_fingerprint(SPEC) in caught.value.found
