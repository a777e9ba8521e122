"""What may be configured: one YAML per environment, read into frozen models."""

from grove.settings.load import load_settings
from grove.settings.sections import Settings

__all__ = ["Settings", "load_settings"]
