"""Embed the texts this encoder never saw: items as of the day, and what users searched for.

Reads   items as of D and as of the evening before, queries up to D, text_embeddings of the
        configured encoder
Writes  text_embeddings: rows for unseen texts only; what is there stays untouched
Fails   when the encoder is not a local model; refuses vectors that are not finite and of
        norm 1, and a day on which some item's text has no vector

    spark-submit jobs/embed_texts.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.contracts import load_contract
from grove.datasets import TEXT_EMBEDDINGS
from grove.quality import validate_dataset
from grove.quality.invariants import every_text_embedded
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.runtime.tables import insert_missing
from grove.stages.embed_texts import count_rows, day_texts, embed, unseen_texts
from grove.texts.encoder import EncoderSpec, encoder_folder
from grove.texts.fingerprint import encoder_fingerprint


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Embed what is unseen; a day without new texts opens no Spark session."""
    with open_stage("embed_texts", arguments) as stage:
        texts_settings = stage.settings.texts.model_dump()
        spec = EncoderSpec(folder=encoder_folder(texts_settings.pop("encoder")), **texts_settings)
        encoder = encoder_fingerprint(spec)
        stage.report.version("encoder", encoder)
        wanted = day_texts(stage)
        unseen = unseen_texts(stage, wanted, encoder)
        vectors = embed(stage, unseen, spec, encoder)
        verdict = validate_dataset(
            load_contract(TEXT_EMBEDDINGS),
            vectors,
            run_name=f"{stage.day} embed_texts",
            docs_folder=stage.docs_folder,
            invariants=[every_text_embedded(count_rows(vectors), unseen=len(unseen))],
        )
        stage.report.rows(in_=len(wanted), out=len(unseen))
        if stage.record(verdict):
            key, partition = ("text_hash",), {"encoder": encoder}
            insert_missing(vectors, stage.layout, TEXT_EMBEDDINGS, key, partition)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
