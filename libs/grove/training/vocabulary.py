"""The same as `grove.features.vocabulary`, under the name training code knows it by."""

from grove.features.vocabulary import *  # noqa: F403
