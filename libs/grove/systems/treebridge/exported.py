"""Reader of an exported TreeBridge, which needs torch and no training code.

Shapes: U users, W paths per user, N items, K_l codes of level l, τ leaf capacity, S tokens so far,
D width, E text width, H heads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import load
from torch.nn import functional

MANIFEST_FILE = "manifest.json"
PROGRAM_SUFFIX = ".pt2"
Program = Callable[..., Any]
PathProgram = Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]]
"""`begin` and `extend`: to scores, keys, values and prefixes."""


@dataclass(frozen=True)
class ProgramStep:
    """[U, W] paths: the scores of the next codes, and the decoder's state.

    Args:
        scores: [U, W, K_l]; after the last code the query of the leaf.
        keys: [U · W, H, S, D/H].
        values: [U · W, H, S, D/H].
        prefixes: [U · W] int64, the codes so far as one number.
    """

    scores: Tensor
    keys: Tensor
    values: Tensor
    prefixes: Tensor


@dataclass(frozen=True, kw_only=True)
class ProgramScorer:
    """One tree's programs, for `beam_search`; the counterpart of `DecoderScorer`."""

    begin: PathProgram
    extend: tuple[PathProgram, ...]
    decodes_slot: bool
    states: Tensor
    """[U, D] user states."""
    keywords: Tensor
    """[U, E]; a row of zeros is no keyword."""
    item_vectors: Tensor
    """[N+1, D], row 0 no item."""

    def start(self) -> ProgramStep:
        """The empty path of every user."""
        scores, *state = self.begin(self.states, self.keywords)
        return ProgramStep(scores[:, None], *state)

    def code_scores(self, step: ProgramStep, level: int) -> Tensor:  # noqa: ARG002
        """Scores of the next code, [U, W, K_l]."""
        return step.scores

    def follow(self, step: ProgramStep, level: int, paths: Tensor, codes: Tensor) -> ProgramStep:
        """Extend chosen paths by one code each."""
        users, width = step.scores.shape[:2]
        chosen = torch.arange(users)[:, None] * width + paths  # [U, W']
        scores, *state = self.extend[level](
            step.keys, step.values, step.prefixes, chosen.flatten(), codes.flatten()
        )
        return ProgramStep(scores.view(*codes.shape, -1), *state)

    def leaf_scores(self, step: ProgramStep, leaf_items: Tensor) -> Tensor:
        """Scores of each leaf's items, [U, W, τ]."""
        if self.decodes_slot:
            return step.scores
        vectors = functional.embedding(leaf_items + 1, self.item_vectors)  # [U, W, τ, D]
        return (vectors @ step.scores[..., None])[..., 0]


@dataclass(frozen=True, kw_only=True)
class ExportedTreeBridge:
    """Programs of an export, loaded."""

    manifest: Mapping[str, Any]
    programs: Mapping[str, Program]
    """By the names in the manifest."""

    def scorer(
        self, tree: str, states: Tensor, keywords: Tensor, item_vectors: Tensor
    ) -> ProgramScorer:
        """One tree for U users.

        Args:
            tree: its name.
            states: [U, D] user states; at least one user.
            keywords: [U, E]; a row of zeros is no keyword.
            item_vectors: [N+1, D], row 0 no item.
        """
        levels = range(len(self.manifest["level_sizes"][tree]))
        return ProgramScorer(
            begin=self.programs[f"{tree}.begin"],
            extend=tuple(self.programs[f"{tree}.extend_{level}"] for level in levels),
            decodes_slot=self.manifest["leaf_step"] == "slot",
            states=states,
            keywords=keywords,
            item_vectors=item_vectors,
        )


def load_export(folder: str | Path) -> ExportedTreeBridge:
    """Read the programs of a folder that `export_treebridge` wrote.

    Weights are raw bytes; the rest of a program torch unpickles with `weights_only`.
    """
    folder = Path(folder)
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    programs = {
        name: load(folder / f"{name}{PROGRAM_SUFFIX}").module() for name in manifest["programs"]
    }
    return ExportedTreeBridge(manifest=manifest, programs=programs)
