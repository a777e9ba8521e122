"""Configuration of an environment: one YAML file, read into frozen models."""

from grove.settings.load import load_settings
from grove.settings.sections import Settings

__all__ = ["Settings", "load_settings"]
