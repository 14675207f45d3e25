# Vigie. Needs Python 3.11 or newer and make; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
STAMP_DEV := $(VENV)/installed-dev
DEMO_FLAGS := $(if $(LIVE),--live)

.PHONY: demo test check bench docs lock clean

demo: $(STAMP)
	@$(BIN)/vigie demo $(DEMO_FLAGS)

# More processes than cores: many tests wait for brokers. What the first has compiled, all that tests start find there.
test: export PYTHONDONTWRITEBYTECODE =
test: $(STAMP_DEV)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long"

check: $(STAMP_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist loadfile -m "not broker and not apache_kafka and not data and not long"

bench: $(STAMP_DEV)
	$(BIN)/vigie bench throughput
	$(BIN)/vigie bench latency

# The manual as a site: open site/index.html, or put the folder on a web server.
docs: $(STAMP_DEV)
	@$(BIN)/python docs/site/build.py site

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Vigie needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "==> $(VENV): a Python of our own"
	@$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python requirements/runtime.txt pyproject.toml
	@echo "==> installing what Vigie needs (once)"
	@$(BIN)/python -m pip install --progress-bar on --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMP_DEV): $(STAMP) requirements/dev.txt
	@echo "==> installing what the tests need"
	@$(BIN)/python -m pip install --progress-bar on --require-hashes -r requirements/dev.txt
	@touch $@

# Renews the locked versions; look at the difference before committing it.
lock: $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --extra console pyproject.toml requirements/build.in -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --extra console --extra notify --extra postgresql --extra x pyproject.toml \
		requirements/build.in -o requirements/server.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --extra console --extra dev --extra train pyproject.toml requirements/build.in -o requirements/dev.txt

clean:
	rm -rf $(VENV) vigie-demo site
