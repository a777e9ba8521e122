"""The verdict on a dataset: contract checks and stage invariants together."""

from __future__ import annotations

import time
from collections.abc import Iterable

from grove.contracts import CheckResult, Contract, Verdict
from grove.quality.measures import Frame
from grove.quality.validate import validate_frame


def validate_dataset(
    contract: Contract,
    frame: Frame,
    *,
    run_name: str,
    docs_folder: str | None = None,
    invariants: Iterable[CheckResult] = (),
) -> Verdict:
    """Run a dataset's checks and add the invariants of its stage.

    Args:
        contract: contract of the rows.
        frame: the rows, not yet committed; persist a Spark frame first, because several Spark
            jobs read it.
        run_name: names the page in Data Docs, for example `2026-11-19 ingest_landing`.
        docs_folder: folder of the day's Data Docs site; none: no page is written.
        invariants: results of `grove.quality.invariants`.

    Returns:
        The verdict; rows may be committed when it has passed.
    """
    started = time.monotonic()
    checked = validate_frame(frame, contract, run_name=run_name, docs_folder=docs_folder)
    seconds = time.monotonic() - started
    return Verdict(contract.name, (*checked, *invariants), seconds)
