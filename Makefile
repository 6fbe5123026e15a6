# From a bare machine with python3, make and git: `make demo` and `make test` set everything up by themselves.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/*)
PACKAGES := core $(PLUGINS)
STAMP := $(VENV)/.installed
PEERS := .venv-peers
COMPILE := $(BIN)/uv pip compile --quiet --no-annotate --no-header $(PACKAGES:%=%/pyproject.toml) --group pyproject.toml:dev \
	$(foreach package,genaug $(notdir $(PLUGINS:plugins/%=genaug-%)),--no-emit-package $(package))
LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url
RESOLUTION ?= lowest-direct
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
INSTALL_PACKAGES := $(INSTALL) --no-deps --no-build-isolation $(PACKAGES:%=-e ./%)
export NO_ALBUMENTATIONS_UPDATE := 1

.PHONY: install demo test check lint format types imports locked lock versions bench bench-quick wheels hooks clean

install: $(STAMP)

$(STAMP): requirements.lock $(PACKAGES:%=%/pyproject.toml) core/src/genaug/version.py | $(BIN)/uv
	$(INSTALL) --compile-bytecode --require-hashes -r requirements.lock
	$(INSTALL_PACKAGES)
	touch $(STAMP)

$(BIN)/uv:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv

demo: install
	$(BIN)/genaug demo -g cvae

test: install
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist worksteal

# .pre-commit-config.yaml runs these same targets before a commit
check: lint format types imports locked

lint: install
	$(BIN)/ruff check .

format: install
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

locked: install
	@cp requirements.lock $(VENV)/requirements.lock
	@$(COMPILE) $(LOCK_FLAGS) -o $(VENV)/requirements.lock
	@diff -q requirements.lock $(VENV)/requirements.lock || { echo "requirements.lock is out of date; run: make lock"; exit 1; }

lock: | $(BIN)/uv
	$(COMPILE) $(LOCK_FLAGS) -o requirements.lock

# Installs the lowest versions that pyproject.toml allows, or with RESOLUTION=highest the newest, instead of the locked ones
versions: | $(BIN)/uv
	$(COMPILE) --resolution $(RESOLUTION) -o $(VENV)/versions.txt
	$(INSTALL) --compile-bytecode -r $(VENV)/versions.txt
	$(INSTALL_PACKAGES)
	touch $(STAMP)
	$(BIN)/uv pip freeze --python $(BIN)/python | grep -E '^(numpy|scikit-learn|torch|torchvision)=='

# Every figure is a ratio of two sides that take turns in one run; use it on a quiet machine. The quick one takes one round of some
bench: install $(PEERS)/bin/python
	set -e; for script in startup ssim; do $(BIN)/python benchmarks/$$script.py benchmarks/RESULTS.md; done
	$(BIN)/python benchmarks/peers.py --peers $(PEERS)/bin/python --out benchmarks/RESULTS.md

bench-quick: install
	$(BIN)/python benchmarks/peers.py --rounds 1 --cases dcgan,vae,ddpm,scan

$(PEERS)/bin/python: benchmarks/peers.txt | $(BIN)/uv
	$(PYTHON) -m venv $(PEERS)
	$(BIN)/uv pip install --quiet --python $(PEERS)/bin/python -r benchmarks/peers.txt
	touch $@

wheels: install
	rm -rf dist
	set -e; for package in $(PACKAGES); do $(BIN)/python -m build --no-isolation --outdir dist $$package; done
	$(BIN)/twine check --strict dist/*

hooks: install
	$(BIN)/pre-commit install

clean:
	rm -rf $(VENV) $(PEERS) dist build
