"""The same as `grove.features.items`, under the name training code knows it by."""

from grove.features.items import *  # noqa: F403
