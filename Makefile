# Two commands do everything: `make serve` runs the product, `make test` checks and tests it.

PYTHON ?= python3
RUN := .venv/bin/python
export DJANGO_SETTINGS_MODULE ?= checkride.settings

.PHONY: help setup serve test check proofs bench chaos w3c format locks clean

help:
	@echo "make serve    install what is missing, start everything, print the address"
	@echo "make test     install what is missing, check the code, run every test"
	@echo "make check    the checks alone: style, types, layers, templates, migrations, locks"
	@echo "make proofs   the slow proofs: random maps, faults, floods"
	@echo "make bench    what is claimed about speed, against a peer or a limit (ONLY=name for one)"
	@echo "make chaos    candidates save while parts are killed (SECONDS=300; SYNCHRONOUS_COMMIT=off must lose)"
	@echo "make w3c      the W3C suites, from checkouts in the folder W3C=..."
	@echo "make setup    install only"
	@echo "make format   write the code in the house style"
	@echo "make locks    resolve the dependencies anew"

setup:
	@$(PYTHON) tools/set_up.py

serve: setup
	@exec $(RUN) -m checkride.embedded.serve

test: export CHECKRIDE_VAR ?= var-test
test:
	@$(PYTHON) tools/set_up.py --tests
	@$(MAKE) --no-print-directory check
	$(RUN) -m pytest -q -n 2 --dist loadgroup -m "not slow"

check: export CHECKRIDE_VAR ?= var-test
check: setup
	@$(RUN) tools/check.py

proofs: export CHECKRIDE_VAR ?= var-test
proofs:
	@$(PYTHON) tools/set_up.py --tests
	$(RUN) -m pytest -q -m slow

bench: setup
	@$(RUN) -m benchmarks $(ONLY)

chaos: setup
	@$(RUN) -m benchmarks.exam_hall.chaos

w3c:
	@$(PYTHON) tools/set_up.py --tests
	$(RUN) tests/credentials/w3c/run.py $(W3C)

format: setup
	@$(RUN) -m ruff check --fix --quiet . || true
	@$(RUN) -m ruff format --quiet .

locks: setup
	@$(RUN) tools/locks.py

clean:
	rm -rf .venv var-test platform/frontend/node_modules platform/checkride/ui/static/ui/built
