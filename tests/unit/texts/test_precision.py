"""The packaged model at every precision: close to float32, and independent of the batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from grove.texts.encoder import EncoderSpec, Precision, TextEncoder, encoder_folder, load_encoder
from grove.texts.prompt import item_text, query_text

pytestmark = pytest.mark.slow

PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "int8")
LEAST_COSINE = 0.99
NOUNS = [
    "mug", "lamp", "shampoo", "Topfpflanze", "防晒霜", "крем", "brush", "kit", "vélo", "cable",
]  # fmt: skip
ADJECTIVES = [
    "red", "organic", "travel-size", "250ml", "heavy-duty", "naïve", "24-piece", "(refill)",
]  # fmt: skip
BRANDS = ("Acme", "L'Oréal Paris", None, "", "3M", "Müller & Söhne")
PATHS = (["Home", "Kitchen"], ["Beauty", "Hair Care", "Shampoos"], [], ["Tools"])
ODD = ("", "?", "7", "🎁🎁", "a" * 300, "WOW!!! " * 20, "00012-88/XL", "né\u0301e", "the of and")


def varied_texts() -> list[str]:
    """Item texts, keywords and oddities: 209 of them, of 2 to 64 tokens."""
    random = np.random.default_rng(5)

    def words(kind: list[str], most: int) -> str:
        return " ".join(random.choice(kind, random.integers(1, most)))

    items = [
        item_text(
            f"{words(ADJECTIVES, 4)} {words(NOUNS, 3)}",
            f"{words(ADJECTIVES + NOUNS, 40)}." if number % 3 else None,
            BRANDS[number % len(BRANDS)],
            PATHS[number % len(PATHS)],
            [words(ADJECTIVES, 2)],
        )
        for number in range(140)
    ]
    keywords = [query_text(f"{words(ADJECTIVES, 3)} {words(NOUNS, 2)}") for _ in range(60)]
    return [*items, *keywords, *ODD]


TEXTS = varied_texts()


@pytest.fixture(scope="module")
def encoders() -> dict[str, TextEncoder]:
    """The packaged model three times."""
    folder = encoder_folder("default")
    return {each: load_encoder(EncoderSpec(folder=folder, precision=each)) for each in PRECISIONS}


@pytest.fixture(scope="module")
def vectors(encoders: dict[str, TextEncoder]) -> dict[str, np.ndarray]:
    """Of all texts together."""
    return {each: encoder.encode(TEXTS) for each, encoder in encoders.items()}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_vectors_are_float32_of_norm_one(vectors: dict[str, np.ndarray], precision: str) -> None:
    assert vectors[precision].dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors[precision], axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS[1:])
def test_it_stays_near_float32(vectors: dict[str, np.ndarray], precision: str) -> None:
    cosines = (vectors[precision] * vectors["fp32"]).sum(1)  # [N]
    assert len(cosines) == 209
    assert cosines.min() >= LEAST_COSINE, TEXTS[int(cosines.argmin())]
    # Equal vectors would mean that nothing was computed at that precision.
    assert cosines.mean() < 1 - 1e-6


@pytest.mark.parametrize("precision", PRECISIONS)
def test_other_texts_order_and_batch_size_do_not_matter(
    encoders: dict[str, TextEncoder], vectors: dict[str, np.ndarray], precision: str
) -> None:
    encoder, together = encoders[precision], vectors[precision]
    order = np.random.default_rng(1).permutation(len(TEXTS))
    shuffled = encoder.encode([TEXTS[row] for row in order])
    np.testing.assert_allclose(shuffled, together[order], atol=1e-5)
    some = [*range(0, len(TEXTS), 7), *range(200, len(TEXTS))]
    alone = np.concatenate([encoder.encode([TEXTS[row]]) for row in some])
    np.testing.assert_allclose(alone, together[some], atol=1e-5)
    smaller = replace(encoder, spec=replace(encoder.spec, batch_size=3))
    found = smaller.encode([TEXTS[row] for row in some])
    np.testing.assert_allclose(found, together[some], atol=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_worker_with_one_thread_gives_the_vectors_of_all_threads(
    encoders: dict[str, TextEncoder], vectors: dict[str, np.ndarray], precision: str
) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        found = encoders[precision].encode(TEXTS[::3])
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_allclose(found, vectors[precision][::3], atol=1e-5)
