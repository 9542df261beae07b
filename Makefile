# Each target does all of its own set-up: a virtual environment, the locked dependencies, the command `lineside`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
# Files in the order of collection: the small ones of tests/unit come last and fill both cores to the end.
SPREAD := -n 4 --dist loadfile --no-loadscope-reorder
PACKAGES := schemas certs owner function_sets sep2_server der_client openadr_ven conformance_tests lineside

# Modules are compiled once and not by every process of every test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check chaos soak fuzz bench bench-large conformance-table opender lock clean

demo: $(VENV)/.run
	$(BIN)/lineside demo --once

# Four workers that meet no compiled test would compile each of them four times: they are collected before, in two halves.
COMPILED := $(BIN)/python -m compileall -q -j 2 $(PACKAGES); \
	$(BIN)/python -m pytest -q -p no:cacheprovider --collect-only tests/integration >/dev/null 2>&1 & \
	$(BIN)/python -m pytest -q -p no:cacheprovider --collect-only --ignore tests/integration >/dev/null 2>&1; wait

test: $(VENV)/.dev
	@$(COMPILED)
	$(BIN)/python -m pytest -q -p no:cacheprovider $(SPREAD)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES) tests bench chaos soak
	$(BIN)/lint-imports
	@$(COMPILED)
	$(BIN)/python -m pytest -q $(SPREAD) --whole --cov --cov-report=term-missing:skip-covered --cov-fail-under=95
	$(BIN)/python -m bench --only can --only gate --only modbus --only aggregator --only openadr

chaos: $(VENV)/.dev
	$(BIN)/python -m pytest -q -s -p no:cacheprovider chaos

soak: $(VENV)/.dev
	$(BIN)/python -m pytest -q -s -p no:cacheprovider soak

# Every property with ten times as many inputs, new ones each time; what fails is told with the input that shows it.
fuzz: $(VENV)/.dev
	@$(COMPILED)
	LINESIDE_INPUTS=10 $(BIN)/python -m pytest -q -p no:cacheprovider -n 2 --dist worksteal --whole -m hypothesis

# docs/conformance.md, from runs of every case against our own server, client and aggregator: some twenty minutes.
conformance-table: $(VENV)/.dev
	$(BIN)/python -m tests.integration.conformance.table docs/conformance.md

bench: $(VENV)/.dev
	$(BIN)/python -m bench

bench-large: $(VENV)/.dev
	$(BIN)/python -m bench --only large

# The figures by which tests hold the simulated inverter, recomputed by OpenDER in an environment of its own.
opender: $(VENV)-opender/.done
	$(VENV)-opender/bin/python -W ignore -m tests.oracle.opender_run tests/data/opender_figures.json

$(VENV)-opender/.done: requirements-opender.lock
	@test -x $(VENV)-opender/bin/python || $(PYTHON) -m venv $(VENV)-opender
	@$(VENV)-opender/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	@touch $@

$(VENV)/.run: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed (PYTHON=... names one)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what lineside runs on ..."
	@$(PIP) install --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "installing what the tests need ..."
	@$(PIP) install --no-compile --requirement requirements-dev.lock
	@touch $@

lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet "setuptools>=77" ".[openadr]"
	build/lock/bin/python -m pip freeze --all --exclude pip --exclude lineside > requirements.lock
	build/lock/bin/python -m pip install --quiet ".[dev]"
	build/lock/bin/python -m pip freeze --all --exclude pip --exclude lineside > requirements-dev.lock
	rm -rf build

clean:
	rm -rf $(VENV) $(VENV)-opender build *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage
