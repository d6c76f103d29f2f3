# `make report` and `make test` are all that one needs; `make help` lists the rest.
# Nothing has to be done before them but to have Python from 3.11 to 3.13.

PY := .venv/bin/python
# One process a core, up to four: most tests use one. A file stays together, and files go
# in their order, the long ones of the browser first.
PYTEST := $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
CODE := $(wildcard cifar100 tests notebooks benchmarks scripts build_report.py)

.NOTPARALLEL: # the targets share .venv and data/, and use all cores as it is
.PHONY: help report test faults lab record readme lint format lock data environment browser clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | awk -F'|' '{printf "make %-8s %s\n", $$1, $$2}'

report: environment data-or-not ## build report/index.html; ARGS="--only 05,06"
	@$(PY) build_report.py $(ARGS)

test: environment data-or-not browser ## run all tests; ARGS="tests/test_data.py -x"
	@$(PYTEST) $(ARGS)

faults: environment data-or-not ## the long tests: killed, interrupted, out of room
	@$(PYTEST) -m "slow or not slow" tests/faults $(ARGS)

lab: environment data-or-not ## open the notebooks in JupyterLab
	@$(PY) -m jupyterlab --notebook-dir=notebooks $(ARGS)

record: environment data ## record what is missing; BUDGET=2h, ARGS="--workers 1"
	@$(PY) scripts/record.py $(if $(BUDGET),--budget $(BUDGET)) $(ARGS)

readme: environment ## write the READMEs' tables from the records; ARGS=--check
	@$(PY) scripts/update_readme.py $(ARGS)

lint: environment ## check the style of code and notebooks
	@$(PY) -m ruff check $(CODE)
	@$(PY) -m ruff format --check $(CODE)

format: environment ## mend the style, strip outputs from notebooks
	@$(PY) -m ruff check --fix $(CODE)
	@$(PY) -m ruff format $(CODE)
	@for notebook in notebooks/*.ipynb notebooks/drafts/*.ipynb; do \
	    [ ! -f "$$notebook" ] || $(PY) -m nbstripout --keep-id "$$notebook" || exit 1; \
	done

lock: environment ## pin the newest versions that pyproject.toml allows (needs uv)
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --extra test \
	    --python-version 3.11 --upgrade pyproject.toml -o requirements.lock
	@$(PY) scripts/update_pins.py

data: environment ## get CIFAR-100, trying again after a failure
	@scripts/setup.sh data again

.PHONY: data-or-not
data-or-not: environment
	@scripts/setup.sh data

environment:
	@scripts/setup.sh environment

browser:
	@scripts/setup.sh browser

clean: ## remove output and caches; .venv, data and checkpoints stay
	rm -rf report .cache/report .cache/no-data .pytest_cache .ruff_cache .hypothesis build
	find cifar100 tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
