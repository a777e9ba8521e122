"""Grove on one machine: set-up, Airflow's four components, and the commands behind the Makefile."""
