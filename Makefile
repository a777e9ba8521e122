# Grove on one machine. `make` lists the commands; CI calls `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
SOURCE ?= marketplace
PORT ?=
JOBS := .venv/jobs/bin
AIRFLOW := .venv/airflow/bin

JAVA_OF_THE_MACHINE := $(JAVA_HOME)

export PYTHONPATH := $(CURDIR)/libs:$(CURDIR)
export JAVA_HOME := $(CURDIR)/.venv/java-home
export PYSPARK_PYTHON := $(CURDIR)/.venv/jobs/bin/python
export HF_HUB_OFFLINE := 1
export OMP_WAIT_POLICY := PASSIVE
# Progress bars of libraries would appear inside our tables.
export TQDM_DISABLE := 1

# The typed value of a variable, quoted as one shell word.
typed = '$(subst ','\'',$(value $(1)))'
# Every shell sets USER; only a typed one names a user of the shop.
SHOPPER := $(if $(filter command,$(origin USER)),--user $(call typed,USER))
GROVE := $(JOBS)/python -m infra.local --source $(call typed,SOURCE) --port $(call typed,PORT)
# Folders of the fast tests; those of the jobs run whole stages.
FAST := tests/unit tests/repository tests/contracts libs infra/local
# Only `make setup` itself prints the steps that were already done.
SILENCE := $(if $(filter setup,$(MAKECMDGOALS)),,--quiet)

.PHONY: help
help: ## Explain the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make both Python environments, find Java, fetch two jars, keep Spark's classes; once
	@JAVA_HOME='$(JAVA_OF_THE_MACHINE)' $(PYTHON) -m infra.local.bootstrap $(SILENCE)

.PHONY: run
run: setup ## Run every day that is missing  [SOURCE= DATA= DAYS=from..to SIZE= PORT=]
	@$(GROVE) run --data $(call typed,DATA) --days $(call typed,DAYS) --size $(call typed,SIZE)

.PHONY: check-landing
check-landing: setup ## Land one day and show its verdict, without Airflow  DAY= [DATA= LANDING=folder]
	@$(GROVE) check-landing --day $(call typed,DAY) --data $(call typed,DATA) --landing $(call typed,LANDING)

.PHONY: stop
stop: setup ## Stop Airflow, every source's or one  [SOURCE=]
	@$(GROVE) stop $(if $(filter-out file,$(origin SOURCE)),--this)

.PHONY: trigger
trigger: setup ## Run one day again  DAY= [RETRAIN=1]
	@$(GROVE) trigger --day $(call typed,DAY) --retrain $(call typed,RETRAIN)

.PHONY: backfill
backfill: setup ## Run a range of days again, in order  FROM= TO=
	@$(GROVE) backfill --from $(call typed,FROM) --to $(call typed,TO)

.PHONY: recommend
recommend: setup ## Recommend from the served release  USER= [QUERY=words]
	@$(GROVE) recommend $(SHOPPER) --query $(call typed,QUERY)

.PHONY: rollback
rollback: setup ## Serve an earlier release  TO=
	@$(GROVE) rollback --to $(call typed,TO)

.PHONY: export
export: setup ## Write the served generator as programs that need torch alone  TO=
	@$(GROVE) export --to $(call typed,TO)

.PHONY: test
test: lint ## Run everything CI runs
	$(JOBS)/python -m pytest --ignore=tests/dags --numprocesses=2 --dist=loadfile --no-loadscope-reorder
	$(MAKE) test-dags

.PHONY: test-fast
test-fast: setup ## Run the tests without Spark, Airflow or a long training; two minutes
	$(JOBS)/python -m pytest $(FAST) -m "not spark and not airflow and not slow" --numprocesses=2 --dist=loadfile

.PHONY: test-dags
test-dags: setup ## Run the tests of the Airflow environment
	PYTHONPATH=$(CURDIR)/libs:$(CURDIR)/dags $(AIRFLOW)/python -m pytest tests/dags dags/orchestration

.PHONY: lint
lint: setup ## Check style, types, the direction of imports and spelling
	$(JOBS)/ruff check
	$(JOBS)/ruff format --check
	$(JOBS)/mypy libs/grove jobs infra/local
	MYPYPATH=libs:dags $(JOBS)/mypy --python-executable $(AIRFLOW)/python dags infra/airflow_plugins
	$(JOBS)/lint-imports
	$(JOBS)/codespell

.PHONY: format
format: setup ## Let ruff rewrite what it can
	$(JOBS)/ruff check --fix
	$(JOBS)/ruff format

.PHONY: benchmark
benchmark: setup ## Measure one benchmark  NAME= [ONLY=part DATA=folder]
	$(JOBS)/python tests/benchmarks/run.py $(call typed,NAME) $(if $(ONLY),--only $(call typed,ONLY)) $(if $(DATA),--data $(call typed,DATA))
