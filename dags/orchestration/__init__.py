"""What every DAG of Grove shares: the deployment, stages, gates, sensors and notices."""
