"""The loop: deterministic, resumable, stops at a loss that is not finite, follows its plan."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from grove.training.checkpoint import Checkpoint, resume_progress
from grove.training.loop import ParameterGroup, TrainingPlan, rate_factor, train

PLAN = TrainingPlan(epochs=4, peak_rate=0.05, seed=3)


@dataclass
class Numbers:
    """Batches of a line to fit; the third epoch may fail, as a killed process would."""

    steps: int = 3
    killed_at: int | None = None
    histories: int = 24

    def epoch(self, number: int) -> Iterator[Tensor]:
        if number == self.killed_at:
            raise KeyboardInterrupt
        for step in range(self.steps):
            yield torch.linspace(0, 1, 8) + step


def make_model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.5), nn.Linear(4, 1))


def loss_of(model: nn.Module):
    def loss(batch: Tensor) -> tuple[Tensor, Tensor]:
        error = (model(batch[:, None])[:, 0] - 3 * batch) ** 2
        return error.sum(), torch.tensor(float(len(batch)))

    return loss


def fit(model: nn.Module, batches: Numbers | None = None, **changes) -> list[float]:
    checkpoint = changes.pop("checkpoint", None)
    plan = replace(PLAN, **changes)
    return train(model, batches or Numbers(), loss_of(model), plan=plan, checkpoint=checkpoint)


def weights(model: nn.Module) -> list[Tensor]:
    return list(model.state_dict().values())


def same(first: nn.Module, second: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


def test_two_trainings_end_with_the_same_bits():
    first, second = make_model(), make_model()
    assert fit(first) == fit(second)
    assert same(first, second)
    assert not same(first, make_model())


def test_another_seed_gives_other_weights():
    first, second = make_model(), make_model()
    fit(first)
    fit(second, seed=4)
    assert not same(first, second)


def test_a_killed_training_resumes_to_the_same_bits(tmp_path):
    whole, killed, resumed = make_model(), make_model(), make_model()
    curve = fit(whole)
    checkpoint = Checkpoint(folder=tmp_path / "state", fingerprint="work")
    with pytest.raises(KeyboardInterrupt):
        fit(killed, Numbers(killed_at=2), checkpoint=checkpoint)
    assert checkpoint.folder.is_dir()
    assert fit(resumed, checkpoint=checkpoint) == curve
    assert same(whole, resumed)
    assert not checkpoint.folder.exists()


def test_the_state_of_other_work_is_not_resumed(tmp_path):
    killed, fresh, other = make_model(), make_model(), make_model()
    checkpoint = Checkpoint(folder=tmp_path / "state", fingerprint="work")
    with pytest.raises(KeyboardInterrupt):
        fit(killed, Numbers(killed_at=2), checkpoint=checkpoint)
    fit(other, checkpoint=replace(checkpoint, fingerprint="other work"))
    fit(fresh)
    assert same(other, fresh)


def test_a_crash_while_writing_the_state_leaves_the_earlier_one(tmp_path):
    checkpoint = Checkpoint(folder=tmp_path / "state", fingerprint="work")
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), Numbers(killed_at=1), checkpoint=checkpoint)
    half_written = Path(f"{checkpoint.folder}.tmp")
    half_written.mkdir()
    (half_written / "checkpoint.json").write_text("{")
    resumed, whole = make_model(), make_model()
    assert fit(resumed, checkpoint=checkpoint) == fit(whole)
    assert same(resumed, whole)


@pytest.mark.parametrize("survived", [0, 1])
def test_a_crash_between_two_renames_leaves_the_earlier_state(tmp_path, monkeypatch, survived):
    checkpoint = Checkpoint(folder=tmp_path / "state", fingerprint="work")
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), Numbers(killed_at=1), checkpoint=checkpoint)
    renames, rename = [], Path.rename

    def killed(source: Path, target: Path) -> Path:
        renames.append(source.name)
        if len(renames) > survived:
            raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed)
        fit(make_model(), checkpoint=checkpoint)
    assert renames == ["state", "state.tmp"][: survived + 1]
    model = make_model()
    earlier = resume_progress(checkpoint, model, torch.optim.AdamW(model.parameters()))
    assert len(earlier) == 1
    resumed, whole = make_model(), make_model()
    assert fit(resumed, checkpoint=checkpoint) == fit(whole)
    assert same(resumed, whole)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_ends_the_training_and_leaves_the_weights():
    model = make_model()
    before = [value.clone() for value in weights(model)]

    def broken(batch: Tensor) -> tuple[Tensor, Tensor]:
        return loss_of(model)(batch)[0] * torch.inf, torch.tensor(1.0)

    curve = train(model, Numbers(), broken, plan=PLAN)
    assert len(curve) == 1
    assert curve[0] != curve[0]
    assert all(torch.equal(a, b) for a, b in zip(before, weights(model), strict=True))


def test_a_group_is_frozen_until_its_epoch():
    frozen, late = make_model(), make_model()
    group = ParameterGroup(prefix="2.", first_epoch=4)
    fit(frozen, groups=(group,))
    assert torch.equal(frozen[2].weight, make_model()[2].weight)
    assert not torch.equal(frozen[0].weight, make_model()[0].weight)
    fit(late, groups=(replace(group, first_epoch=3),))
    assert not torch.equal(late[2].weight, make_model()[2].weight)
    assert all(parameter.requires_grad for parameter in frozen.parameters())


def test_a_group_of_rate_zero_does_not_change():
    model = make_model()
    fit(model, groups=(ParameterGroup(prefix="0.", rate_factor=0.0),))
    assert torch.equal(model[0].weight, make_model()[0].weight)


def test_loss_falls():
    curve = fit(make_model(), epochs=30)
    assert curve[-1] < curve[0] / 2


def test_a_step_without_any_target_changes_nothing_but_decay():
    model = make_model()

    def nothing(_: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(()), torch.tensor(0.0)

    assert train(model, Numbers(), nothing, plan=replace(PLAN, weight_decay=0.0)) == [0.0] * 4
    assert same(model, make_model())


def test_one_cycle_rises_then_falls():
    factors = [rate_factor(step, 50, "one_cycle") for step in range(50)]
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert max(factors) == 1.0
    assert factors[-1] < 0.01
    assert rate_factor(7, 50, "constant") == 1.0


def test_every_epoch_is_one_line_of_the_log(caplog):
    caplog.set_level(logging.INFO, logger="grove")
    curve = fit(make_model())
    assert len(caplog.messages) == PLAN.epochs
    for number, (line, loss) in enumerate(zip(caplog.messages, curve, strict=True), start=1):
        left = PLAN.epochs - number
        pattern = (
            rf"epoch {number} of 4: loss {loss:.4f}, rate \d\.\de-\d\d, gradient norm [\d.e+-]+,"
            rf" \d+ sequences/s, {left} left in \d+ s"
        )
        assert re.fullmatch(pattern, line), line
    assert "rate 5.0e-02" in caplog.messages[0]


def test_the_logged_gradient_norm_is_that_before_clipping(caplog):
    caplog.set_level(logging.INFO, logger="grove")
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    one_step = Numbers(steps=1)
    fit(model, one_step, epochs=1, clip_norm=1e-3)
    batch = torch.linspace(0, 1, 8)
    expected = float((2 * (1 - 3) * batch**2).mean())
    assert f"gradient norm {abs(expected):.3g}," in caplog.messages[0]


def test_a_resumed_training_logs_the_remaining_epochs_only(caplog, tmp_path):
    checkpoint = Checkpoint(folder=tmp_path / "state", fingerprint="work")
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), Numbers(killed_at=2), checkpoint=checkpoint)
    caplog.clear()
    caplog.set_level(logging.INFO, logger="grove")
    fit(make_model(), checkpoint=checkpoint)
    assert [line.partition(":")[0] for line in caplog.messages] == ["epoch 3 of 4", "epoch 4 of 4"]


def test_without_a_history_to_learn_from_the_weights_stay(caplog):
    model, untouched = make_model(), make_model()
    with caplog.at_level(logging.WARNING, logger="grove.training"):
        assert fit(model, Numbers(histories=0)) == []
    assert same(model, untouched)
    assert not model.training
    assert "no history has an event to learn from" in caplog.text
