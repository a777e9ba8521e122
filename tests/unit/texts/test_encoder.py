"""The vector of a text does not depend on its batch; the packaged model equals its reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.texts.tiny_decoder import WORDS

from grove.errors import SettingsError
from grove.texts.encoder import EncoderSpec, Precision, TextEncoder, encoder_folder, load_encoder
from grove.texts.pooling import Pooling

pytestmark = pytest.mark.slow

TEXTS = ["red mug", "a small red lamp for a blue shoe", "shoe", "mug " * 40, ""]


def make_encoder(
    folder: Path | str,
    pooling: Pooling,
    batch_size: int = 3,
    precision: Precision = "fp32",
) -> TextEncoder:
    spec = EncoderSpec(
        folder=str(folder),
        pooling=pooling,
        max_tokens=24,
        batch_size=batch_size,
        prompt="a lamp ",
        precision=precision,
    )
    return load_encoder(spec)


def reference_encode(encoder: TextEncoder, text: str) -> np.ndarray:
    """One text, no padding, no batch."""
    spec = encoder.spec
    room = spec.max_tokens - (spec.pooling == "item_token")
    ids = encoder.tokenizer(spec.prompt + text)["input_ids"][:room]
    if spec.pooling == "item_token":
        ids = [*ids, encoder.tokenizer.convert_tokens_to_ids("[ITEM]")]
    with torch.inference_mode():
        states = encoder.model(input_ids=torch.tensor([ids])).last_hidden_state[0]
    vector = states.mean(0) if spec.pooling == "mean" else states[-1]
    return (vector / vector.norm()).numpy()


@pytest.mark.parametrize("pooling", ["mean", "last_token", "item_token"])
def test_a_batch_gives_the_vectors_of_each_text_alone(
    decoder_folder: Path, pooling: Pooling
) -> None:
    encoder = make_encoder(decoder_folder, pooling)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 32)
    assert vectors.dtype == np.float32
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(vector, reference_encode(encoder, text), atol=1e-5)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join), min_size=1, max_size=9),
    st.sampled_from(["last_token", "item_token", "mean"]),
    st.sampled_from(["fp32", "bf16", "int8"]),
)
def test_other_texts_and_order_do_not_matter(
    decoder_folder: Path, texts: list[str], pooling: Pooling, precision: Precision
) -> None:
    encoder = make_encoder(decoder_folder, pooling, precision=precision)
    together = encoder.encode(texts)
    backwards = encoder.encode(texts[::-1])[::-1]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, backwards, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_a_set_of_texts_makes_the_same_batches_in_any_order(
    decoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [" ".join(words) for words in zip(WORDS, WORDS[::-1], strict=True)]
    texts += ["red mug " * count for count in range(5)]
    encoder = make_encoder(decoder_folder, "mean", batch_size=4)
    batches: list[list[list[int]]] = []
    forward = TextEncoder._forward

    def recorded(self: TextEncoder, tokens: list[list[int]]) -> np.ndarray:
        batches.append(tokens)
        return forward(self, tokens)

    monkeypatch.setattr(TextEncoder, "_forward", recorded)
    vectors = encoder.encode(texts)
    expected, batches[:] = list(batches), []
    assert len(expected) == 7
    assert all(len({len(row) for row in batch}) == 1 for batch in expected)
    assert sum(len(batch) for batch in expected) == len(texts)
    order = np.random.default_rng(0).permutation(len(texts))
    shuffled = encoder.encode([texts[row] for row in order])
    assert batches == expected
    assert np.array_equal(shuffled, vectors[order])


def test_poolings_differ(decoder_folder: Path) -> None:
    text = ["a small red lamp"]
    vectors = [
        make_encoder(decoder_folder, pooling).encode(text)
        for pooling in ("mean", "last_token", "item_token")
    ]
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01
    assert np.abs(vectors[1] - vectors[2]).max() > 0.01


def test_the_packaged_model_agrees_with_its_own_library() -> None:
    from sentence_transformers import SentenceTransformer

    folder = encoder_folder("default")
    texts = ["red mug", "Ceramic mug. Home > Kitchen. Holds 0.3 litres and survives a dishwasher"]
    encoder = load_encoder(EncoderSpec(folder=folder, max_tokens=64, batch_size=2))
    expected = SentenceTransformer(folder, device="cpu").encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-5)


def test_a_mug_is_nearer_to_a_cup_than_to_a_shoe() -> None:
    encoder = load_encoder(EncoderSpec(folder=encoder_folder("default")))
    mug, cup, shoe = encoder.encode(["red coffee mug", "tea cup", "running shoe"])
    assert mug @ cup > mug @ shoe + 0.1


def test_no_texts_give_no_vectors(decoder_folder: Path) -> None:
    assert make_encoder(decoder_folder, "mean").encode([]).shape == (0, 32)


@pytest.mark.parametrize("encoder", ["/no/such/folder", "./nor/this", "a/b/c"])
def test_an_unknown_folder_is_a_settings_error(encoder: str) -> None:
    with pytest.raises(SettingsError, match="there is no text encoder") as caught:
        encoder_folder(encoder)
    assert encoder in caught.value.where
    assert "config.json" in caught.value.expected
    assert "texts.encoder" in caught.value.next_step


def test_a_folder_without_a_model_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no text encoder"):
        encoder_folder(str(tmp_path))


def test_weights_that_are_missing_are_a_settings_error(
    decoder_folder: Path, tmp_path: Path
) -> None:
    for file in decoder_folder.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(SettingsError, match="there is no text encoder"):
        load_encoder(EncoderSpec(folder=str(tmp_path)))


def test_a_model_without_the_item_token_cannot_pool_by_it() -> None:
    spec = EncoderSpec(folder=encoder_folder("default"), pooling="item_token")
    with pytest.raises(SettingsError, match="not tuned with an item token") as caught:
        load_encoder(spec)
    assert "last_token" in caught.value.next_step
