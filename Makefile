# `make demo`, `make test`: each alone makes the environment first. Needs only Python >= 3.11 with venv, make and git.

# The first Python that is new enough and can make environments; `make PYTHON=/path/to/python` decides otherwise.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

BIN := .venv/bin
INSTALLED := .venv/.installed

# Without an NVIDIA GPU: the version whose CPU build pip takes where it finds one. (It wins over the CUDA build of the same version,
# because 2.13.0+cpu is newer than 2.13.0 to pip. Where pip finds only the latter, that works too, and is large.)
CONSTRAINT := $(shell nvidia-smi -L 2>/dev/null | grep -q GPU || echo --constraint constraints/cpu.txt)

# `make pocket SMOKE=1` takes a few steps of everything, in a folder of its own.
POCKET := $(if $(SMOKE),--smoke --work build/pocket-smoke --out build/pocket-smoke/pack)
# `make pocket-eval UNTRAINED=1` measures fresh weights instead.
MEASURE := $(if $(UNTRAINED),--untrained) $(if $(SMOKE),--smoke --work build/pocket-smoke build/pocket-smoke/pack)

JOBS ?= $(shell cores=$$(nproc); echo $$((cores < 4 ? cores : 4)))

# Strict (see mkdocs.yml); the variable silences a notice about MkDocs' future.
DOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs

.PHONY: help install demo check check-unit check-integration test chaos chaos-soak lint docs docs-serve format clean pocket pocket-eval

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

install: $(INSTALLED) ## make .venv with everything; does nothing the second time

$(INSTALLED): pyproject.toml constraints/cpu.txt
	@test -n '$(PYTHON)' || { echo 'Paragone needs Python >= 3.11 with venv: install it (Debian: apt install python3-venv), or name it: make PYTHON=/path/to/python3.12' >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is older than Python 3.11: make PYTHON=/path/to/python3.12")'
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --editable '.[local,gpu,train,s3,data,tracing,docs,dev]' $(CONSTRAINT)
	@# Tests count tokens with the real CLIP vocabulary, a file in this wheel; what it depends on (torchvision) is not wanted.
	$(BIN)/pip install --disable-pip-version-check --no-deps 'open_clip_torch>=3.0'
	touch $@

demo: $(INSTALLED) ## the whole path on sample artworks, and a report to look at
	$(BIN)/paragone demo

# The tests start hundreds of interpreters: what one compiles the others need not.
check-unit check-integration test: export PYTHONDONTWRITEBYTECODE :=

check: $(INSTALLED) ## unit and integration tests but the slow ones, side by side: for while you edit
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-unit check-integration

check-unit check-integration: check-%: $(INSTALLED)
	$(BIN)/pytest -m 'not slow' tests/$*

# Those of single parts side by side, as many at once as JOBS says; then, undisturbed, those that start whole fleets and look at the clock.
test: $(INSTALLED) ## all tests; COVERAGE=1 also measures how much of the code they run, with a floor
	$(BIN)/pytest --numprocesses=$(JOBS) --dist=loadfile $(if $(COVERAGE),--cov --cov-report= --cov-fail-under=0) tests/unit tests/integration
	$(BIN)/pytest $(if $(COVERAGE),--cov --cov-append) tests/acceptance tests/chaos

# One database alone: DATABASE=postgresql or sqlite. A seed that failed is replayed by SEED=. Runs for about half an hour each.
chaos: $(INSTALLED) ## 1,000 faults on each database, then the gates: FAULTS=1000 SEED=1 DATABASE=both
	$(BIN)/python -m tests.chaos --faults $(or $(FAULTS),1000) --seed $(or $(SEED),1) --database $(or $(DATABASE),both)

chaos-soak: $(INSTALLED) ## 500,000 jobs on PostgreSQL under random faults: memory, times, dead rows; JOBS=500000 SEED=1
	$(BIN)/python benchmarks/soak.py --jobs $(or $(JOBS),500000) --seed $(or $(SEED),1)

pocket: $(INSTALLED) ## train and measure the pocket models: hours on a CPU, minutes on a GPU; goes on where it stopped
	$(BIN)/python -m trainer.pocket train $(POCKET)
	$(BIN)/python -m trainer.pocket measure --write $(MEASURE)

pocket-eval: $(INSTALLED) ## measure the pocket models on held-out paintings
	$(BIN)/python -m trainer.pocket measure $(MEASURE)

lint: $(INSTALLED) ## style, types, who may import whom, and the docs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(DOCS) build --quiet

docs: $(INSTALLED) ## build the docs into site/, strictly; needs no network
	$(DOCS) build

docs-serve: $(INSTALLED) ## show the docs at http://127.0.0.1:8000 and rebuild them as you write
	$(DOCS) serve --livereload

format: $(INSTALLED) ## put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove what tools left behind; keeps .venv and paragone-data
	rm -rf .coverage build dist site .cache *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
