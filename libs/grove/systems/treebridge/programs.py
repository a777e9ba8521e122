"""TreeBridge as programs of plain tensors, which a server calls one after the other.

Shapes: B batch, T events, F fields of an event, M items, A attributes, P paths, P' paths chosen
from them, L levels, K_l codes of level l, τ leaf capacity, S tokens so far, D width, E text width,
H heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from grove.features.event_fields import EVENT_FIELDS, SCENE
from grove.nn.embeddings import at_cuts, known_rows
from grove.nn.user_encoder import UserEncoder
from grove.systems.treebridge.decoder import CodeDecoder, DecoderState
from grove.systems.treebridge.network import ItemEmbedding

HISTORY_FIELDS = ("events", "recency", *(field.name for field in SCENE), "times")
"""Last axis of the input of `UserProgram`: kind of event, recency, scene and time."""


@dataclass(frozen=True, kw_only=True)
class ProgramEvents:
    """The `EventBatch` of a program: the columns of its `history`, each [B, T] int64."""

    fields: Mapping[str, Tensor]
    recency: Tensor
    times: Tensor


class UserProgram(nn.Module):
    """Histories to user states.

    Args:
        users: of the generator.
    """

    def __init__(self, users: UserEncoder) -> None:
        super().__init__()
        self.users = users

    def forward(self, history: Tensor, item_vectors: Tensor, lengths: Tensor) -> Tensor:
        """Encode users after their last event.

        Args:
            history: [B, T, F] int64, right-padded; the last axis is `HISTORY_FIELDS`.
            item_vectors: [B, T, D] of the events' items.
            lengths: [B] int64 events per history.

        Returns:
            [B, D].
        """
        kinds, recency, *scene, times = history.unbind(dim=-1)  # [B, T] each
        names = (field.name for field in EVENT_FIELDS)
        fields = dict(zip(names, (kinds, *scene), strict=True))
        batch = ProgramEvents(fields=fields, recency=recency, times=times)
        states = self.users(batch, item_vectors)  # [B, T, D]
        last = (lengths - 1).clamp_min(0)[:, None]  # [B, 1]
        return at_cuts(states, last)[:, 0]


class ItemProgram(nn.Module):
    """Item features to item vectors.

    A bag of attributes cannot be traced for a single item: its rows are looked up and added here.

    Args:
        items: of the generator.
    """

    def __init__(self, items: ItemEmbedding) -> None:
        super().__init__()
        self.items = items

    def forward(self, ids: Tensor, attributes: Tensor, text: Tensor) -> Tensor:
        """Encode items; arguments and result as of `ItemEmbedding`."""
        rows = functional.embedding(attributes, self.items.attributes.table.weight)  # [M, A, D]
        present = (attributes > 0)[..., None]  # [M, A, 1]
        offsets = self.items.offsets(known_rows(ids))  # [M, D]
        vectors: Tensor = self.items.text(text) + (rows * present).sum(dim=1) + offsets
        return vectors


class BeginProgram(nn.Module):
    """User states to the scores of the first codes of one tree.

    Args:
        decoder: of the tree.
    """

    def __init__(self, decoder: CodeDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, states: Tensor, keywords: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Start the empty path of every user.

        Args:
            states: [B, D] user states.
            keywords: [B, E]; a row of zeros is no keyword.

        Returns:
            Scores of the first codes, [B, K_1], and the decoder's state: keys and values,
            [B, H, S, D/H], and prefixes, [B] int64.
        """
        outputs, state = self.decoder.begin(states, keywords)
        scores = self.decoder.level_logits(outputs, state.prefixes, 0)
        return scores, state.keys, state.values, state.prefixes


class ExtendProgram(nn.Module):
    """Paths of one tree, longer by a code.

    Args:
        decoder: of the tree.
        level: of the code, 0 .. L − 1.
    """

    def __init__(self, decoder: CodeDecoder, level: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.level = level

    def forward(
        self, keys: Tensor, values: Tensor, prefixes: Tensor, paths: Tensor, codes: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Choose paths, with repetition, and append a code to each.

        Args:
            keys: [P, H, S, D/H], of the state.
            values: [P, H, S, D/H], of the state.
            prefixes: [P] int64, of the state.
            paths: [P'] int64, rows of the state.
            codes: [P'] int64.

        Returns:
            Scores of the next codes, [P', K_l+1], or after the last code the query of the leaf,
            see `CodeDecoder.leaf_query`; and the state, a token longer, of P' paths.
        """
        state = DecoderState(keys, values, prefixes).select(paths)
        outputs, state = self.decoder.extend(state, self.level, codes)
        if self.level + 1 == len(self.decoder.codes):
            scores = self.decoder.leaf_query(outputs)
        else:
            scores = self.decoder.level_logits(outputs, state.prefixes, self.level + 1)
        return scores, state.keys, state.values, state.prefixes
