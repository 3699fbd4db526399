# What it takes is Python 3.11 or newer, called python3 here; everything else is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
PRETIX ?= pretix
BIN := $(VENV)/bin
CATALOGS := $(patsubst %.po,%.mo,$(wildcard pretix_offlinesales/locale/*/LC_MESSAGES/*.po))

NO_INDEX := pretix and what the plugin needs could not be installed into $(VENV). That takes a Python package index: the \
	public one on the internet, or another one that pip is told of, for example by the environment variable PIP_INDEX_URL.

.PHONY: demo serve examples test coverage e2e faults lint types package screenshots bench figures clean

# A batch of 1,000 tickets through the REST API of a pretix made for it, from request to PDF.
demo: $(VENV)/ready $(CATALOGS)
	@$(BIN)/python -m demo

# That pretix, to look around in: make serve PORT=8345
serve: $(VENV)/ready $(CATALOGS)
	@exec $(BIN)/python -m demo serve

# The documented calls, played with curl against a running `make serve`.
examples: $(VENV)/ready
	@$(BIN)/python -m demo.examples

# The tests, on SQLite in memory; on PostgreSQL: PRETIX_OFFLINESALES_TEST_DATABASE=postgresql make test
test: $(VENV)/ready $(CATALOGS)
	@$(BIN)/pytest -n auto $(ARGS)

# The same, and which of our lines and branches no test comes by. (Of a part of the tests: ARGS="--cov-fail-under=0 …")
coverage: $(VENV)/ready $(CATALOGS)
	@$(BIN)/pytest -n auto --cov $(ARGS)

# The pages in a real browser. (Debian: chromium and chromium-driver.)
e2e: $(VENV)/ready $(CATALOGS)
	@$(BIN)/pytest tests/e2e $(ARGS)

# Web server and workers that are killed and robbed of their servers: PostgreSQL and Redis on 127.0.0.1.
faults: $(VENV)/ready $(CATALOGS)
	@$(BIN)/pytest tests/faults --ds=tests.faults.settings $(ARGS)

lint: $(VENV)/ready
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/ruff format --check .

# What fits together, and what the host takes and gives.
types: $(VENV)/ready
	@$(BIN)/mypy

# Source archive and wheel in dist/. (msgfmt, of GNU gettext, compiles the translations.)
package: $(VENV)/ready
	@rm -rf build dist
	@$(BIN)/python -m build --quiet
	@$(BIN)/python .ci/check_wheel.py dist/*.whl

# The pictures in docs/screenshots.
screenshots: $(VENV)/ready $(CATALOGS)
	@$(BIN)/python -m docs.screenshots

# The plugin beside the host, on PostgreSQL and Redis: a look for every change. In full: BENCH_WORLD=large make bench
bench: $(VENV)/ready
	@$(BIN)/python -m benchmarks

# What README and docs say of it: measured in full, in one run.
figures: $(VENV)/ready
	@$(BIN)/python -m benchmarks.publish

clean:
	rm -rf .demo .venv* build dist *.egg-info

$(VENV)/ready: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check "$(PRETIX)" -e ".[dev]" || { echo "$(NO_INDEX)" >&2; exit 1; }
	@touch $@

# The translations, for the folder that the environment imports the plugin from. (With Babel, which pretix brings: it
# takes no gettext.)
%.mo: %.po | $(VENV)/ready
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@
