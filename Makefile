# What it takes is Python 3.11 or newer, called python3 here; everything else is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
PRETIX ?= pretix
BIN := $(VENV)/bin

.PHONY: demo serve examples test lint package clean

# A batch of 1,000 tickets through the REST API of a pretix made for it, from request to PDF.
demo: $(VENV)/ready
	@$(BIN)/python -m demo

# That pretix, to look around in: make serve PORT=8345
serve: $(VENV)/ready
	@exec $(BIN)/python -m demo serve

# The documented calls, played with curl against a running `make serve`.
examples: $(VENV)/ready
	@$(BIN)/python -m demo.examples

# The tests, on SQLite in memory; on PostgreSQL: PRETIX_OFFLINESALES_TEST_DATABASE=postgresql make test
test: $(VENV)/ready
	@$(BIN)/pytest -n auto $(ARGS)

lint: $(VENV)/ready
	@$(BIN)/ruff check .

# Source archive and wheel in dist/. (msgfmt, of GNU gettext, compiles the translations.)
package: $(VENV)/ready
	@rm -rf build dist
	@$(BIN)/python -m build --quiet
	@$(BIN)/python .ci/check_wheel.py dist/*.whl

clean:
	rm -rf .demo .venv* build dist *.egg-info

$(VENV)/ready: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "$(PRETIX)" -e ".[dev]"
	@touch $@
