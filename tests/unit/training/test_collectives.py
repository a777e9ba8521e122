"""Two real processes agree on sums and take the step one process would."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing, nn

from grove.training.collectives import (
    largest_over_workers,
    sum_gradients,
    sum_over_workers,
    world,
)

DATA = torch.arange(6.0)


def gradient_of(part: torch.Tensor) -> nn.Parameter:
    parameter = nn.Parameter(torch.tensor([1.0, 2.0]))
    ((parameter[0] * part + parameter[1]) ** 2).sum().backward()
    return parameter


def rank_work(rank: int, folder: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    parameter = gradient_of(DATA[rank::2])
    untouched = nn.Parameter(torch.ones(3))
    sum_gradients([parameter, untouched], torch.tensor(0.5))
    found = {
        "gradient": parameter.grad,
        "untouched": untouched.grad,
        "sum": sum_over_workers(torch.tensor([1.0 + rank])),
        "largest": torch.tensor(largest_over_workers(3 - rank)),
        "world": torch.tensor(world()),
    }
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_sum_what_one_would_compute(tmp_path: Path):
    multiprocessing.spawn(rank_work, (str(tmp_path),), nprocs=2)
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    for found in ranks:
        assert torch.allclose(found["gradient"], gradient_of(DATA).grad * 0.5)
        assert found["untouched"].tolist() == [0.0, 0.0, 0.0]
        assert found["sum"].tolist() == [3.0]
        assert int(found["largest"]) == 3
    assert [found["world"].tolist() for found in ranks] == [[0, 2], [1, 2]]
    assert torch.equal(ranks[0]["gradient"], ranks[1]["gradient"])


def test_one_process_alone_has_world_size_one():
    assert world() == (0, 1)
    assert largest_over_workers(5) == 5
    assert sum_over_workers(torch.tensor(2.0)) == 2.0
