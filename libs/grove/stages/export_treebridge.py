"""Export the generator of the served release."""

from __future__ import annotations

from pathlib import Path

from grove.datasets import Layout
from grove.runtime.files import require_writable_parent
from grove.runtime.logs import job_logger
from grove.serving import open_current_release
from grove.systems.treebridge import export

log = job_logger("export_treebridge")


def export_treebridge(layout: Layout, folder: Path) -> None:
    """Write the programs of the served release's generator into a new folder.

    Args:
        layout: paths of the home.
        folder: to make.
    """
    reader = open_current_release(layout.current_pointer())
    require_writable_parent(folder)
    served_by = export.ServedBy(
        release_id=reader.manifest.release_id,
        encoder=reader.manifest.encoder,
        beam=reader.beam,
        fusion=reader.fusion,
        new_item_bonus=reader.new_item_bonus,
    )
    export.export_treebridge(reader.generator_folder, folder, served_by=served_by)
    log.info("wrote the generator of %s to %s", reader.manifest.release_id, folder)
