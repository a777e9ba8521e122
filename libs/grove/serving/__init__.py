"""Reading of a release: open it, verify it, recommend from it; without Spark or Airflow."""

from grove.serving.queries import query_vector
from grove.serving.reader import ReleaseReader, open_current_release, open_release
from grove.serving.recommend import Recommendation, recommend

__all__ = [
    "Recommendation",
    "ReleaseReader",
    "open_current_release",
    "open_release",
    "query_vector",
    "recommend",
]
