"""P2: the encoder over `SentenceTransformer.encode`, per precision, in one process and in Spark.

Texts are those of Beauty's items, or of a shop whose file has its form; where there is none they
are synthetic. All encoders cut texts after the same tokens and have one batch size. A few texts
warm each of them up, then the better of two rounds counts. In Spark the session and the workers'
models are ready before the clock starts, and the vectors return to the driver.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from tests.benchmarks.rows import Row

from grove.runtime.spark_session import open_session
from grove.settings.load import parse_settings
from grove.sources.amazon_reviews import item_of
from grove.stages.embed_texts import EMBEDDING_SCHEMA
from grove.texts.encoder import EncoderSpec, Precision, encoder_folder, load_encoder
from grove.texts.prompt import item_text, text_hash
from grove.texts.worker import embedding_batches

BEAUTY = Path("../shared/data/amazon2014_beauty")
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "int8")
LIBRARY = "SentenceTransformer"
MADE_UP = 12_000
WORDS = "red small travel organic bath hair cream brush set for women natural body oil 250ml"
WARM_UP = 256
TURNS = 2
LEAST_COSINE = 0.99
LEAST_IN_SPARK = {"same precision": 1.0, "fastest": 2.0}
CHANGED_EVERY = 100
MOST_OF_A_FULL_DAY = 0.03

Encode = Callable[[Sequence[str]], np.ndarray]
"""N texts → [N, D] unit vectors, in their order."""


def shop_texts(data: Path | None) -> tuple[str, list[str]]:
    """A shop's name and the distinct texts of its items."""
    folder = data or BEAUTY
    if data is None and not folder.is_dir():
        return "made-up texts", made_up_texts(MADE_UP)
    columns = ["asin", "title", "brand", "categories"]
    lines = pq.read_table(folder / "items.parquet", columns=columns).to_pylist()
    items = [item_of(line, date(2014, 1, 1)) for line in lines]
    texts = {
        item_text(item["title"], None, item["brand"], item["category_path"], item["tags"])
        for item in items
    }
    return folder.name, sorted(texts)


def made_up_texts(count: int) -> list[str]:
    """Distinct texts of 5 to 60 words, most of them short."""
    random = np.random.default_rng(count)
    lengths = np.minimum(4 + random.geometric(0.08, count), 60)
    return [
        " ".join([*random.choice(WORDS.split(), length - 1), str(number)])
        for number, length in enumerate(lengths)
    ]


def library_encode() -> Encode:
    """The library's own function, on all cores, with our limit of tokens."""
    from sentence_transformers import SentenceTransformer

    spec = EncoderSpec(folder=encoder_folder("default"))
    model = SentenceTransformer(spec.folder, device="cpu")
    model.max_seq_length = spec.max_tokens
    return partial(
        model.encode,
        batch_size=spec.batch_size,
        normalize_embeddings=True,
        show_progress_bar=False,
    )


def spark_encode(spark: SparkSession, spec: EncoderSpec, partitions: int) -> Encode:
    """The pipeline's worker under `mapInArrow`; the vectors come back in the order of the texts."""
    worker = embedding_batches(spec, "benchmark")

    def encode(texts: Sequence[str]) -> np.ndarray:
        hashes = pa.array([text_hash(text) for text in texts])
        rows = pa.table({"text_hash": hashes, "text": list(texts)})
        spread = spark.createDataFrame(rows).repartition(partitions, "text_hash")
        found = spread.mapInArrow(worker, EMBEDDING_SCHEMA).toArrow().combine_chunks()
        flat = found["vector"].combine_chunks().flatten().to_numpy()
        order = pc.index_in(hashes, value_set=found["text_hash"].combine_chunks())
        return np.asarray(flat.reshape(len(found), -1)[order.to_numpy()])

    return encode


def best_turn(encode: Encode, texts: Sequence[str]) -> tuple[float, np.ndarray]:
    """Seconds of the better turn, and the vectors."""
    encode(texts[:WARM_UP])
    best = float("inf")
    for _ in range(TURNS):
        started = perf_counter()
        vectors = encode(texts)
        best = min(best, perf_counter() - started)
    return best, vectors


def compare_in_process(name: str, texts: Sequence[str]) -> Iterator[Row]:
    """Yield speeds on all cores of one process, cosines, and the share of a day of few changes."""
    where = f"{name}, {len(texts):,} texts, one process"
    library, expected = best_turn(library_encode(), texts)
    yield Row(f"P2 {LIBRARY} fp32, {where}", len(texts) / library, "texts/s")
    vectors: dict[str, np.ndarray] = {}
    for precision in PRECISIONS:
        encoder = load_encoder(EncoderSpec(folder=encoder_folder("default"), precision=precision))
        seconds, vectors[precision] = best_turn(encoder.encode, texts)
        yield from _speed(f"P2 encoder {precision}, {where}", len(texts), seconds, library)
        if precision == "fp32":
            few = best_turn(encoder.encode, texts[::CHANGED_EVERY])[0] / seconds
            yield Row(
                f"P2 1 % of the texts over all of them, {where}, time", few, "ratio",
                goal=f"≤ {MOST_OF_A_FULL_DAY:g}", met=few <= MOST_OF_A_FULL_DAY,
            )  # fmt: skip
    yield from _cosines(f"P2 encoder fp32, {where}", vectors["fp32"], expected, LIBRARY)
    for precision in PRECISIONS[1:]:
        label = f"P2 encoder {precision}, {where}"
        yield from _cosines(label, vectors[precision], vectors["fp32"], "encoder fp32")


def compare_in_spark(name: str, texts: Sequence[str]) -> Iterator[Row]:
    """Yield speeds of the pipeline's worker over the library in one process."""
    where = f"{name}, {len(texts):,} texts"
    library, _ = best_turn(library_encode(), texts)
    yield Row(f"P2 {LIBRARY} fp32, {where}, one process", len(texts) / library, "texts/s")
    where += ", Spark"
    seconds: dict[str, float] = {}
    exact: np.ndarray | None = None
    for precision, (taken, vectors) in _spark_turns(texts):
        exact = vectors if exact is None else exact
        yield from _speed(f"P2 encoder {precision}, {where}", len(texts), taken, library)
        if (vectors * exact).sum(1).min() >= LEAST_COSINE:
            seconds[precision] = taken
    fastest = min(seconds, key=lambda precision: seconds[precision])
    for which, precision in {"same precision": "fp32", "fastest": fastest}.items():
        ratio, least = library / seconds[precision], LEAST_IN_SPARK[which]
        yield Row(
            f"P2 {which} ({precision}), {where}", ratio, "ratio", f"{LIBRARY} fp32, one process",
            f"≥ {least:g}", ratio >= least,
        )  # fmt: skip


def _spark_turns(texts: Sequence[str]) -> Iterator[tuple[str, tuple[float, np.ndarray]]]:
    with tempfile.TemporaryDirectory(prefix="grove-texts-") as home:
        settings = parse_settings({"home": home}, where="tests/benchmarks/texts.py")
        spark = open_session("grove.benchmark", settings)
        try:
            for precision in PRECISIONS:
                spec = EncoderSpec(folder=encoder_folder("default"), precision=precision)
                encode = spark_encode(spark, spec, settings.spark.embed_partitions)
                yield precision, best_turn(encode, texts)
        finally:
            spark.stop()


def _speed(measure: str, texts: int, seconds: float, library: float) -> Iterator[Row]:
    yield Row(measure, texts / seconds, "texts/s")
    reference = f"{LIBRARY} fp32, one process"
    yield Row(f"{measure}, speed over the library", library / seconds, "ratio", reference)


def _cosines(
    measure: str, vectors: np.ndarray, expected: np.ndarray, reference: str
) -> Iterator[Row]:
    cosines = (vectors * expected).sum(1)  # [N]
    least = float(cosines.min())
    yield Row(
        f"{measure}, least cosine", least, "cosine", reference,
        f"≥ {LEAST_COSINE:g}", least >= LEAST_COSINE,
    )  # fmt: skip
    yield Row(f"{measure}, mean cosine", float(cosines.mean()), "cosine", reference)


def _part(
    compare: Callable[[str, Sequence[str]], Iterator[Row]], data: Path | None
) -> Iterator[Row]:
    yield from compare(*shop_texts(data))


PARTS = {
    "process": partial(_part, compare_in_process),
    "spark": partial(_part, compare_in_spark),
}
DATA_PARTS = tuple(PARTS)
