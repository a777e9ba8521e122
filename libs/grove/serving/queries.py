"""What a user types, as the vector that starts a release's generator."""

from __future__ import annotations

import numpy as np

from grove.errors import DataError
from grove.release.manifest import Manifest
from grove.texts.encoder import EncoderSpec, encoder_folder, load_encoder
from grove.texts.fingerprint import encoder_fingerprint
from grove.texts.prompt import query_text


def query_vector(manifest: Manifest, query: str) -> np.ndarray | None:
    """Embed a query by the encoder whose vectors the release was trained on.

    Args:
        manifest: of the release.
        query: as typed.

    Returns:
        [E] float32, none for a query of spaces, which asks for nothing.

    Raises:
        DataError: the encoder here is another one than the release's.
    """
    text = query_text(query)
    if not text:
        return None
    texts = dict(manifest.settings["texts"])
    spec = EncoderSpec(folder=encoder_folder(texts.pop("encoder")), **texts)
    here, trained = encoder_fingerprint(spec), manifest.encoder
    if here != trained:
        raise DataError(
            "the query cannot be embedded as the release's texts were",
            where=str(spec.folder),
            expected=f"encoder {trained}, that of release {manifest.release_id}",
            found=f"encoder {here}",
            next_step="put the encoder of the release back, or publish a day with the new one",
        )
    return np.asarray(load_encoder(spec).encode([text])[0])
