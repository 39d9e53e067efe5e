# Everything runs in .venv, installed from the lock. `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PREFECT_SERVER_ANALYTICS_ENABLED = false
export DO_NOT_TRACK = 1
export GX_ANALYTICS_ENABLED = false

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format lock schemas translations samples wheel clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Installing copstats and its dependencies into $(VENV) (about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "copstats needs Python 3.11 or later: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(VENV)/.installed  ## create .venv with everything, from the lock

demo: install  ## run the main job on sample_data/ and say what to open
	@$(BIN)/copstats demo

test: install  ## run the whole test suite
	@$(BIN)/python -m pytest -m "not nightly" -n 2 --dist loadfile --no-loadscope-reorder

lint: install  ## style, types and the rules of the house
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install  ## put the code in the house's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock:  ## renew requirements.lock (needs uv)
	uv pip compile pyproject.toml --extra flows --extra releases --extra portal --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements.lock

schemas: install  ## write schemas/json from the types of the framework
	@$(BIN)/python -m copstats.framework.jsonschema

translations: install  ## bring the gettext catalogues up to date with the English texts
	@$(BIN)/python -m copstats.framework.translation update

samples: install  ## write sample_data/ anew from its seeded generator
	@$(BIN)/python sample_data/generate.py

wheel: install  ## build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

clean:  ## remove what make made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache copstats-demo
