# Sampan: `make` lists what can be made.
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11

# A checkout that was moved, or whose Python went away with an upgrade, gets a new virtual environment.
ifneq ($(wildcard .venv/installed),)
ifneq ($(shell $(BIN)/python -I -c 'import importlib.util; print(bool(importlib.util.find_spec("sampan")))' 2>&1),True)
$(shell rm -rf .venv)
endif
endif

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run check test test-database browser fire soak fuzz interop bench bench-peers words reconcile-100k lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## start the whole platform here; Ctrl-C stops it
	@exec $(BIN)/sampan up --data var --base-port 8000

setup: .venv/installed ## make .venv with what Sampan runs with

setup-dev: .venv/installed-dev

check: export SAMPAN_DATABASE_URL ?= dbname=sampan
check: setup-dev ## style, types, import order, locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest tests/test_house.py

test: setup-dev ## all but the long ones (a real browser, the whole fault matrix) and other people's programs
	$(BIN)/pytest -m "not browser and not fire and not interop" -n 2 --dist worksteal

test-database: setup-dev # those that touch the database; SAMPAN_TEST_DATABASE_URL names another server
	$(BIN)/pytest -m "database and not browser and not fire and not interop" -n 2 --dist worksteal

browser: setup-dev ## the long journeys in a real browser
	$(BIN)/pytest --timeout=900 -m browser

fire: export FIRE_RESULTS ?= var/fire.json
fire: setup-dev ## each fault of an SMSC × `kill -9` of each process; FAULTS="reset or unbind" for some of them
	$(BIN)/pytest --timeout=3600 -m fire tests/fire -n 3 --dist worksteal $(if $(FAULTS),-k "$(FAULTS)")

soak: MINUTES ?= 30
soak: setup-dev ## load, faults and kills at random for MINUTES=30; SEED=N goes the same way again
	$(BIN)/python -m tests.fire.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

interop: export SAMPAN_INTEROP_TABLE = docs/operating/interop.md
interop: setup-dev ## with other people's SMPP programs; writes docs/operating/interop.md
	@tests/interop/install
	$(BIN)/pytest --timeout=900 -m interop tests/interop

fuzz: export PYTHONPATH = .venv/fuzz
fuzz: SECONDS ?= 60
fuzz: setup-dev .venv/fuzz ## feed nonsense to all that reads what strangers send; SECONDS=60 for each of TARGETS="pdu gsm"
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) $(TARGETS)

bench: RUNS ?= 3
bench: setup-dev ## measure on this machine, beside its floors; RUNS=3 of each of MEASURES="backlog idle"
	$(BIN)/python -m bench --runs $(RUNS) $(MEASURES)

bench-peers: RUNS ?= 3
bench-peers: setup-dev ## Kannel beside us, by turns, on this machine; RUNS=3 of each of CONNECTIONS=32,128
	@tests/interop/install kannel
	$(BIN)/python -m bench.peers --runs $(RUNS) $(if $(CONNECTIONS),--connections $(CONNECTIONS))

words: setup-dev ## bring the words marked for translation into sampan/locale/*/LC_MESSAGES/django.po
	$(BIN)/python -m tests.catalogues

reconcile-100k: setup-dev ## do the books agree after 100,000 messages? says how long that took, too
	$(BIN)/python -m bench --runs 1 reconcile

lock: setup-dev ## write requirements*.txt from pyproject.toml
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --output-file requirements-dev.txt --group dev --constraint requirements.txt
	$(LOCK) --output-file requirements-interop.txt --group interop
	$(LOCK) --output-file requirements-fuzz.txt --group fuzz

.venv/installed: requirements.txt pyproject.toml
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		new_enough=$$(command -v $$python); \
		$$python -c 'import ensurepip' 2>/dev/null && exec $$python -m venv .venv; \
	done; \
	test -z "$$new_enough" && echo "Sampan needs Python 3.11 or newer, and found none in PATH" && exit 1; \
	echo "$$new_enough cannot make a virtual environment. Debian, Ubuntu: apt-get install python3-venv" && exit 1
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

.venv/fuzz: requirements-fuzz.txt .venv/installed-dev
	$(PIP) --require-hashes --upgrade --target $@ -r requirements-fuzz.txt
	@touch $@
