# `make demo` and `make test` need Python 3.11 or newer and make; they set up everything else in .venv.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Settings of a throw-away installation: the tests and checks never touch yours.
export TEST_ENV := SECRET_KEY=test-only-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789 \
	FERNET_KEYS=test-only-fernet-key-0123456789-abcdefghijklmnop OUTBOUND_ALLOW=127.0.0.0/8 VAR_DIR=var/test

.PHONY: help demo demo-once test prove bench lint format clean
help:
	@echo "make demo       a whole billing cycle on this machine, in the browser, until Ctrl-C"
	@echo "make demo-once  the same, checked to the cent, then everything stops"
	@echo "make test       lint, types, migrations, deploy checks and the tests (two minutes)"
	@echo "make prove      the slow proofs (a quarter of an hour on two cores)"
	@echo "make bench      documents per second"

.venv/runtime: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or say make PYTHON=/path/to/python."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Python could not make a virtual environment. On Debian: apt install python3-venv."; exit 1; }
	@echo "Installing the pinned requirements..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/development: .venv/runtime requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: .venv/runtime
	@$(BIN)/python deploy/demo.py

demo-once: .venv/runtime
	@$(BIN)/python deploy/demo.py --once

test: .venv/development
	@mkdir -p var/test
	$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	$(TEST_ENV) $(BIN)/mypy connector tenants mappings syncs deploy
	$(TEST_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(TEST_ENV) BEHIND_TLS=1 ALLOWED_HOSTS=connector.example $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(TEST_ENV) $(BIN)/python -m pytest -n auto -m "not slow and not browser" tests

prove: .venv/development
	@mkdir -p var/test
	$(BIN)/python deploy/prove.py

bench: .venv/development
	@mkdir -p var/test
	$(TEST_ENV) $(BIN)/python -m tests.benchmarks
	$(TEST_ENV) $(BIN)/python -m tests.benchmarks.reading
	$(TEST_ENV) $(BIN)/python -m tests.benchmarks.mappings

lint: .venv/development
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(TEST_ENV) $(BIN)/mypy connector tenants mappings syncs deploy

format: .venv/development
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

clean:
	rm -rf var .venv
