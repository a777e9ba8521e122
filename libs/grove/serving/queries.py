"""Search text as the vector that starts a release's generator."""

from __future__ import annotations

import numpy as np

from grove.errors import DataError
from grove.release.manifest import Manifest
from grove.texts.encoder import EncoderSpec, encoder_folder, load_encoder
from grove.texts.fingerprint import encoder_fingerprint
from grove.texts.prompt import query_text


def query_vector(manifest: Manifest, query: str) -> np.ndarray | None:
    """Embed a query with the encoder of the release's training.

    Args:
        manifest: of the release.
        query: text as typed.

    Returns:
        [E] float32; none for a blank query.

    Raises:
        DataError: the local encoder is not that of the release.
    """
    text = query_text(query)
    if not text:
        return None
    texts = dict(manifest.settings["texts"])
    spec = EncoderSpec(folder=encoder_folder(texts.pop("encoder")), **texts)
    here, trained = encoder_fingerprint(spec), manifest.encoder
    if here != trained:
        raise DataError(
            "the local encoder is not that of the release",
            where=str(spec.folder),
            expected=f"encoder {trained}, that of release {manifest.release_id}",
            found=f"encoder {here}",
            next_step="restore the encoder of the release, or publish a day with the new one",
        )
    return np.asarray(load_encoder(spec).encode([text])[0])
