# Everything starts here. `make run` needs Python 3.11 or newer, and a package registry once.

PYTHON ?= python3
VENV := .venv/bin
export PORT ?= 8000
export STATE_DIR ?= $(CURDIR)/var

.PHONY: help run test test-stack check bench format

help:
	@echo "make run         the portal with its demonstration (PORT=8000 STATE_DIR=var)"
	@echo "make test        the whole suite on the embedded default"
	@echo "make test-stack  the suite on PostgreSQL, Redis and an S3-compatible store"
	@echo "make check       format, lint, types, layers, templates, migrations, deploy check"
	@echo "make bench       the benchmarks"
	@echo "make format      put the code into the one format"

run: | have-python
	@$(PYTHON) -I config/bootstrap.py run

test: | dev
	@$(VENV)/python -m config.verify test

test-stack: | dev
	@$(VENV)/python -m config.verify test-stack

check: | dev
	@$(VENV)/python -m config.verify check

bench: | dev
	@$(VENV)/python -m bench

format: | dev
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix-only --quiet .
	@find templates -name "*.html" -exec $(VENV)/djade --target-version 5.2 {} +

.PHONY: dev have-python
dev: | have-python
	@$(PYTHON) -I config/bootstrap.py dev

have-python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: $(PYTHON) is not there."; exit 1; }
