# The jobs of this project. Each sets itself up first: .venv from requirements.lock, instant when nothing changed.
# PYTHON=/path/to/python3.11 chooses the Python; PYTEST="tests/rules -k bands" chooses the tests.

.DEFAULT_GOAL := help
.PHONY: help run history test check docs bench clean setup verify-ledger

VENV_PYTHON := .venv/bin/python
# The scenario tests wait for brokers and piles about as much as they compute: a few more than a small machine has cores.
PYTEST ?= -n 3 --dist worksteal

help: ## this list
	@echo "make run      the whole platform with simulated piles on this machine, until Ctrl-C; data stays in var/"
	@echo "make history  gives the demo of make run a past of 30 days, about 3 min; DAYS=7 for fewer"
	@echo "make test     make check, then every test against real brokers and databases, which it finds or installs"
	@echo "make check    ruff, mypy --strict, import rules, generated files up to date"
	@echo "make docs     writes the generated files again"
	@echo "make bench    measures codec, bridge, ingest (beside bare baselines) and rules, about 13 min; writes bench/results.md"
	@echo "make verify-ledger  proves the books of make run's database, or names the rows that are wrong"
	@echo "make clean    removes .venv, caches and var/ (with the demo's data)"

setup:
	@./setup.sh

run: setup
	@$(VENV_PYTHON) -m evcs up

history: setup
	@$(VENV_PYTHON) -m evcs history --days $(or $(DAYS),30)

test: setup
	@$(VENV_PYTHON) -m evcs.setup.servers install
	@$(MAKE) --no-print-directory check
	@$(VENV_PYTHON) -m pytest $(PYTEST); code=$$?; $(VENV_PYTHON) -m evcs.setup.servers report; exit $$code

check: setup
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo
	$(VENV_PYTHON) -m evcs docs --check

docs: setup
	$(VENV_PYTHON) -m evcs docs

bench: setup
	@$(VENV_PYTHON) -m evcs.setup.servers install
	$(VENV_PYTHON) -m bench.codec
	$(VENV_PYTHON) -m bench.bridge
	$(VENV_PYTHON) -m bench.ingest
	$(VENV_PYTHON) -m bench.ingest_whole
	$(VENV_PYTHON) -m bench.rules
	$(VENV_PYTHON) -m bench.sharing
	$(VENV_PYTHON) -m bench.goals
	$(VENV_PYTHON) -m bench.api

verify-ledger: setup
	@$(VENV_PYTHON) -m webapi.ledger verify

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
