# The commands of the project; CI calls the same ones. 'make help' lists them.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

# What the installed package is made of beyond plain Python, which is used in place.
BUILT_FROM := pyproject.toml setup.py $(wildcard corefast/*.pyx corefast/*.h)
ifdef UV
MAKE_ENV = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
MAKE_ENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif
# A plain path entry: with setuptools' import hook tests/corefast would be found before corefast.
# Setuptools warns that the mode may go one day; its version is pinned.
EDITABLE := --config-settings editable_mode=compat --editable

.DEFAULT_GOAL := help
.PHONY: help run test env check bench proof screenshots docs lock catalogs clean

help:  ## List the commands.
	@echo "make run          a first look: environment, build, a demo utility; prints the address"
	@echo "make test         everything that CI runs: system packages, build, check, all tests"
	@echo "make check        linters, types, import contracts, templates"
	@echo "make bench        benchmarks of the compiled core beside its peers, on the installed wheel"
	@echo "make proof [NAME] the full-size figures, kept in docs/proof/"
	@echo "make screenshots  every page, wide and narrow, light and dark, into docs/screenshots/"
	@echo "make env          the environment with the test packages, nothing run"
	@echo "make docs         write the reference pages anew from commands, errors and settings"
	@echo "make catalogs     collect the portal's messages and bring the translations up to date"
	@echo "make lock         pin the requirements anew"
	@echo "make clean        remove what was built; .venv and the demo's data stay"
	@echo
	@echo "PYTHON=python3.12 chooses the interpreter, PORT=8080 the demo's port."

run: $(VENV)/.run
	$(BIN)/hub demo --port $(PORT)

$(VENV)/.run: requirements/run.txt requirements/build.txt $(BUILT_FROM)
	@requirements/system.sh run
	$(MAKE_ENV)
	$(INSTALL) --require-hashes -r requirements/build.txt -r requirements/run.txt
	PYTHONWARNINGS=ignore $(INSTALL) --no-deps --no-build-isolation $(EDITABLE) .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	$(INSTALL) --require-hashes -r requirements/test.txt
	@touch $@

env: $(VENV)/.test

test:
	@requirements/system.sh test --install
	$(MAKE) --no-print-directory check
	$(BIN)/pytest -q -m "not e2e" -n auto --dist loadfile --benchmark-disable
	$(BIN)/pytest -q -m e2e -n auto --dist loadfile --benchmark-disable

# cython-lint calls pycodestyle by name.
check: export PATH := $(CURDIR)/$(BIN):$(PATH)
check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .import_linter_cache
	$(BIN)/cython-lint corefast
	$(BIN)/djlint --lint --quiet hub/web
	$(BIN)/codespell hub corefast tests benchmarks docs *.md Makefile requirements/*.sh requirements/*.in

# Builds the wheel and measures it in an environment of its own; WHAT=crc16 for one file.
bench: $(VENV)/.test
	$(BIN)/python benchmarks/run.py $(WHAT)

# The words after 'proof' name the proofs, and are no targets.
ifeq (proof,$(firstword $(MAKECMDGOALS)))
PROOFS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
ifneq (,$(PROOFS))
.PHONY: $(PROOFS)
$(PROOFS):
	@:
endif
endif
proof: $(VENV)/.test
	$(BIN)/python tests/proof/run.py $(PROOFS)

screenshots: $(VENV)/.test
	$(BIN)/python tests/e2e/screenshots.py

docs: $(VENV)/.test
	$(BIN)/python docs/generate.py

catalogs: $(VENV)/.test
	$(BIN)/python tests/catalogs.py

# Extras stay in the pins: pip takes a later coverage for coverage[toml] where only coverage is pinned.
LOCK = $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--universal --python-version 3.11 --allow-unsafe --custom-compile-command 'make lock' --no-strip-extras
lock:
	@test -n "$(UV)" || { echo "uv is needed: pip install uv" >&2; exit 1; }
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) -c requirements/run.txt requirements/build.in -o requirements/build.txt
	$(LOCK) -c requirements/run.txt -c requirements/build.txt requirements/test.in \
		-o requirements/test.txt

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache .benchmarks corefast/*.so
	rm -f $(VENV)/.run $(VENV)/.test
