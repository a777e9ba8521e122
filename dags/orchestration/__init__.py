"""Shared parts of the DAGs: the deployment, stages, gates, sensors and notices."""
