"""The same as `grove.features.sequences`, under the name training code knows it by."""

from grove.features.sequences import *  # noqa: F403
