# From a bare machine with python3, make and git: `make demo` and `make test` set everything up by themselves.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/*)
PACKAGES := core $(PLUGINS)
STAMP := $(VENV)/.installed
LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
	$(foreach package,genaug $(notdir $(PLUGINS:plugins/%=genaug-%)),--no-emit-package $(package))
export NO_ALBUMENTATIONS_UPDATE := 1

.PHONY: install demo test check bench wheels lock clean

install: $(STAMP)

$(STAMP): requirements.lock $(PACKAGES:%=%/pyproject.toml)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=-e ./%)
	touch $(STAMP)

demo: install
	$(BIN)/genaug demo -g cdcgan

test: install
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@cp requirements.lock $(VENV)/requirements.lock
	@$(BIN)/uv pip compile $(LOCK_FLAGS) $(PACKAGES:%=%/pyproject.toml) --group pyproject.toml:dev -o $(VENV)/requirements.lock
	@diff -q requirements.lock $(VENV)/requirements.lock || { echo "requirements.lock is out of date; run: make lock"; exit 1; }

lock:
	$(BIN)/uv pip compile $(LOCK_FLAGS) $(PACKAGES:%=%/pyproject.toml) --group pyproject.toml:dev -o requirements.lock

bench: install
	set -e; for script in startup ssim; do $(BIN)/python benchmarks/$$script.py; done

wheels: install
	rm -rf dist
	set -e; for package in $(PACKAGES); do $(BIN)/python -m build --no-isolation --outdir dist $$package; done
	$(BIN)/twine check --strict dist/*

clean:
	rm -rf $(VENV) dist build
