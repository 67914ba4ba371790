.DEFAULT_GOAL := help
.PHONY: help java run test test-platforms test-faults check fmt bench audit clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JAVA := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/java,java)
WAREHOUSE ?= warehouse

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

java:
	@version=$$("$(JAVA)" -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' | head -1); \
	case "$$version" in 17|21) ;; \
	"") echo "Java 17 or 21 is needed and none was found: install the package openjdk-17-jre-headless (or set JAVA_HOME)" >&2; exit 1;; \
	*) echo "Java 17 or 21 is needed and Java $$version was found: install the package openjdk-17-jre-headless (or set JAVA_HOME)" >&2; exit 1;; esac

$(BIN)/python: # a stale half-made environment is made again
	@command -v "$(PYTHON)" >/dev/null || { echo "Python 3.10 to 3.13 is needed and $(PYTHON) was not found: set PYTHON=python3.12, say" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v < (3, 14) else "Python 3.10 to 3.13 is needed and %d.%d was found: set PYTHON=python3.12, say" % v)'
	"$(PYTHON)" -m venv --clear $(VENV)

$(VENV)/installed-%: $(BIN)/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install -qq --upgrade pip
	$(BIN)/python -m pip install -qq --editable '.$(if $(filter-out base,$*),[$*])'
	@touch $@

run: java $(VENV)/installed-base ## build the bundled sample's dumps, run every job on them, show what came out
	$(BIN)/crossic-etl sample $(WAREHOUSE)

$(VENV)/jars: $(VENV)/installed-test # Delta's JARs, and the archive of Java's classes that each test's session starts with
	$(BIN)/python -m tests.support.first_session
	@touch $@

test: java $(VENV)/installed-test $(VENV)/jars ## every test but those of platforms and faults
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

test-platforms: java $(VENV)/installed-test $(VENV)/jars ## on a cluster of two workers, an object store, Spark Connect, Airflow and in notebooks: a quarter of an hour
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m platform

test-faults: java $(VENV)/installed-test ## runs that are killed, two at once, faults of the machine, random histories: hours
	$(BIN)/python -m pytest -m faults -s -v

check: $(VENV)/installed-dev ## lint, types and the tests that need no Java, in seconds
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup --no-loadscope-reorder -m 'not spark and not slow and not platform and not faults' --ignore=tests/training

fmt: $(VENV)/installed-dev ## format, and mend what lint can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: java $(VENV)/installed-bench ## ratios of speed and quality, each measured in one run
	$(BIN)/python -m bench

audit: $(VENV)/installed-base ## known weaknesses of the installed packages, by PyPI's database
	$(BIN)/python -m pip install -qq pip-audit
	$(BIN)/python -m pip_audit --skip-editable

clean: ## remove the environment, caches and the sample's tables
	rm -rf $(VENV) $(WAREHOUSE) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse metastore_db derby.log
