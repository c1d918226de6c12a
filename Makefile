# Two commands: `make run` opens the site, `make test` proves it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)

.PHONY: run test test-services bench chaos look-files clean

run: $(VENV)/.installed
	@$(BIN)/python manage.py up

test: $(VENV)/.installed-dev
	@env -u DATABASE_URL -u REDIS_URL -u EMAIL_URL $(BIN)/python -m pytest -n auto

test-services: $(VENV)/.installed-dev
	@test -n "$$DATABASE_URL" -a -n "$$REDIS_URL" || { echo "Set DATABASE_URL and REDIS_URL, for example postgres://user@127.0.0.1:5432/sapar_test and redis://127.0.0.1:6379/5."; exit 2; }
	@$(BIN)/python -m pytest -n auto

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.bench

chaos: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.chaos

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "This is Python %d.%d; the site needs 3.11 or newer. Name another one: make run PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Making $(VENV)."
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv module. On Debian and Ubuntu: apt install python3-venv. Then run make again."; exit 2; }
	@$(if $(UV),$(UV) venv -q --seed --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.txt
	@echo "Installing what the site needs (once, about half a minute)."
	@$(if $(UV),$(UV) pip install -q --python $(BIN)/python -r requirements.txt,$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing what the tests need (once)."
	@$(if $(UV),$(UV) pip install -q --python $(BIN)/python -r requirements-dev.txt,$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt)
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
