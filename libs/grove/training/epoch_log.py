"""The line that a training logs after every epoch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """One finished epoch, over all workers."""

    loss: float
    """Mean over the epoch's predictions."""
    learning_rate: float
    """Largest of the epoch."""
    gradient_norm: float = 0.0
    """Mean over the epoch's steps, before clipping."""


@dataclass(frozen=True, kw_only=True)
class EpochTiming:
    """Time of the epochs since this process started."""

    done: int
    """Epochs finished."""
    sequences: int
    """Histories per epoch, over all workers."""
    seconds: float
    """Since the first of them began."""


def epoch_line(result: EpochResult, *, epoch: int, epochs: int, timing: EpochTiming) -> str:
    """Describe an epoch in one line of the log.

    Speed and remaining time follow from the mean over the epochs since this process started.

    Args:
        result: of the epoch.
        epoch: its number, 0 .. epochs − 1.
        epochs: of the training.
        timing: so far.

    Returns:
        The line.

    Example:
        >>> done = EpochResult(loss=1.5, learning_rate=0.002, gradient_norm=0.25)
        >>> epoch_line(done, epoch=1, epochs=4, timing=EpochTiming(done=2, sequences=40, seconds=8))
        'epoch 2 of 4: loss 1.5000, rate 2.0e-03, gradient norm 0.25, 10 sequences/s, 2 left in 8 s'
    """
    speed = timing.done * timing.sequences / max(timing.seconds, 1e-9)
    left = epochs - epoch - 1
    return (
        f"epoch {epoch + 1} of {epochs}: loss {result.loss:.4f}, rate {result.learning_rate:.1e},"
        f" gradient norm {result.gradient_norm:.3g}, {speed:.0f} sequences/s,"
        f" {left} left in {left * timing.seconds / timing.done:.0f} s"
    )
