"""The fingerprint depends on everything that determines a vector, and on nothing else."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from grove.texts.encoder import EncoderSpec
from grove.texts.fingerprint import encoder_fingerprint


@pytest.fixture
def spec(decoder_folder: Path) -> EncoderSpec:
    return EncoderSpec(folder=str(decoder_folder))


def test_it_is_sixteen_hexadecimal_digits(spec: EncoderSpec) -> None:
    fingerprint = encoder_fingerprint(spec)
    assert len(fingerprint) == 16
    assert int(fingerprint, 16) >= 0


def test_prompt_pooling_length_and_precision_change_it(spec: EncoderSpec) -> None:
    others = [replace(spec, prompt="x"), replace(spec, pooling="last_token")]
    others.append(replace(spec, max_tokens=32))
    others += [replace(spec, precision="bf16"), replace(spec, precision="int8")]
    assert len({encoder_fingerprint(each) for each in (spec, *others)}) == 6


def test_float32_keeps_the_fingerprint_used_before_precision_was_a_setting(
    spec: EncoderSpec,
) -> None:
    digest = hashlib.sha256(b"\0mean\x0064\0")
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        content = (Path(spec.folder) / name).read_bytes()
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    assert encoder_fingerprint(spec) == digest.hexdigest()[:16]


def test_folder_and_batch_size_do_not_change_it(spec: EncoderSpec, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(spec.folder, copy)
    same = replace(spec, folder=str(copy), batch_size=1)
    assert encoder_fingerprint(same) == encoder_fingerprint(spec)


@pytest.mark.parametrize(
    "file", ["model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"]
)
def test_every_file_of_the_encoder_changes_it(spec: EncoderSpec, tmp_path: Path, file: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(spec.folder, copy)
    (copy / file).write_bytes((copy / file).read_bytes() + b" ")
    assert encoder_fingerprint(replace(spec, folder=str(copy))) != encoder_fingerprint(spec)


def test_other_files_do_not_change_it(spec: EncoderSpec, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(spec.folder, copy)
    (copy / "README.md").write_text("notes")
    assert encoder_fingerprint(replace(spec, folder=str(copy))) == encoder_fingerprint(spec)
