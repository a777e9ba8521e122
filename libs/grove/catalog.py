"""Former name of `grove.datasets`, kept for one release for scripts outside the project."""

from grove.datasets import *  # noqa: F403
