# Every target sets up what it needs in a local virtual environment; nothing is installed elsewhere.
PYTHON ?= python3
VENV ?= .venv
DOCKER ?= docker
BIN := $(VENV)/bin
# A file's tests share servers and models, so they stay in one process; the end-to-end ones, few and long, begin. Each
# process loads models: no more than four.
SPREAD := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Tests start hundreds of interpreters: each would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help serve test test-all test-clients fuzz mutation security audit sbom coverage lint format soak bench bundle train train-smoke image docs dashboards rules lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[torch]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[training,dev]'
	@touch $@ $(VENV)/.serve

serve: $(VENV)/.serve ## Install what is needed and serve on 127.0.0.1:8000
	$(BIN)/evenmatch serve

test: $(VENV)/.dev ## Run the tests, but for the slow ones, on up to four cores
	$(BIN)/python -m pytest $(SPREAD) -m 'not slow'

test-all: $(VENV)/.dev ## Run all tests
	$(BIN)/python -m pytest $(SPREAD)

# An environment of their own: they bring a hundred packages, in versions that need not fit ours.
$(VENV)-clients/.done: tests/clients/requirements.txt tests/clients/package.json
	$(PYTHON) -m venv $(VENV)-clients
	$(VENV)-clients/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/clients/requirements.txt
	if command -v npm; then cp tests/clients/package.json $(VENV)-clients/ && npm install --prefix $(VENV)-clients --no-audit --no-fund; fi
	@touch $@

test-clients: $(VENV)/.dev $(VENV)-clients/.done ## Install clients of OpenAI's interface and drive them against the server
	CLIENTS_ENVIRONMENT=$(VENV)-clients $(BIN)/python -m pytest tests/e2e/test_openai_clients.py

# Beside the environment, not in it: nothing else needs atheris, which is built for Linux alone.
$(VENV)-fuzz/.done: tests/fuzz/requirements.txt | $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(VENV)-fuzz --upgrade --requirement $<
	@touch $@

fuzz: $(VENV)/.dev $(VENV)-fuzz/.done ## Fuzz what reads bytes, guided by coverage (docs/testing.md); FUZZ="--seconds 60 pdf" passes options
	PYTHONPATH=$(VENV)-fuzz $(BIN)/python -m tests.fuzz $(FUZZ)

$(VENV)-mutation/.done: tests/mutation-requirements.txt | $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(VENV)-mutation --upgrade --requirement $<
	@touch $@

mutation: $(VENV)/.dev $(VENV)-mutation/.done ## Change the code of fairness, scores and redaction policy, and see whether a test notices (docs/testing.md); many hours
	PYTHONPATH=$(VENV)-mutation $(BIN)/python -m mutmut run
	PYTHONPATH=$(VENV)-mutation $(BIN)/python -m mutmut results

$(VENV)-security/.done: docker/security-requirements.txt
	$(PYTHON) -m venv $(VENV)-security
	$(VENV)-security/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

security: $(VENV)-security/.done ## Look for insecure code with bandit; what is excused says why (pyproject.toml)
	$(VENV)-security/bin/bandit --quiet --configfile pyproject.toml --recursive evenmatch service training docker docs/generate.py

audit: $(VENV)-security/.done ## Look up the pinned versions in PyPI's database of vulnerabilities; needs the network
	$(VENV)-security/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

sbom: $(VENV)/.dev $(VENV)-security/.done ## Write sbom.json, what is installed in the environment (CycloneDX), and validate it
	$(VENV)-security/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible --of JSON --output-file sbom.json --validate $(BIN)/python

coverage: $(VENV)/.dev ## Run the tests of `make test` and measure which lines they run; fails below the floor in pyproject.toml
	$(BIN)/python -m pytest $(SPREAD) -m 'not slow' --cov --cov-report=term:skip-covered

lint: $(VENV)/.dev ## Check style, types and the doors between the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

MINUTES ?= 60
soak: $(VENV)/.dev ## Mixed traffic and random faults for MINUTES=60 (docs/operations.md)
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

bench: $(VENV)/.dev ## Measure speed and memory (docs/benchmarks.md)
	$(BIN)/python -m benchmarks

bundle: $(VENV)/.dev ## Make minilm-base again, the baseline without training
	$(BIN)/evenmatch-train run --config training/configs/base.yaml --output service/bundles/minilm-base --work .training/base --overwrite

train: $(VENV)/.dev ## Retrain minilm-fair (docs/training.md); goes on where it was interrupted
	$(BIN)/evenmatch-train run --config training/configs/minilm-fair.yaml --output service/bundles/minilm-fair --work .training --resume --overwrite

train-smoke: $(VENV)/.dev ## Run the whole training path on very little data
	$(BIN)/evenmatch-train run --config training/configs/smoke.yaml --output .training-smoke/bundle --overwrite

image: ## Build the container image (docs/containers.md); DOCKER=podman takes another program
	$(DOCKER) build --build-arg REVISION=$$(git rev-parse HEAD) --tag evenmatch:$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) .

docs: $(VENV)/.dev ## Generate docs/openapi.json, the table of settings in the README and of rooms in docs/architecture.md
	$(BIN)/python docs/generate.py

dashboards: $(VENV)/.dev ## Generate Grafana's dashboards again (docs/monitoring.md)
	PYTHONPATH=docker/grafana $(BIN)/python -m dashboards

rules: $(VENV)/.dev ## Check and test Prometheus' rules; needs prometheus and promtool
	$(BIN)/python -m pytest -m prometheus tests/docker

lock: ## Resolve the newest versions into constraints.txt (torch stays as pyproject.toml pins it), their hashes into constraints.lock
	rm -rf $(VENV).lock && $(PYTHON) -m venv $(VENV).lock
	$(VENV).lock/bin/python -m pip install --quiet --editable '.[training,dev]'
	$(VENV).lock/bin/python -m pip freeze --exclude-editable | sed -E 's/^(torch==[0-9.]+)\+.*/\1/' > constraints.txt
	$(VENV).lock/bin/python -m pip install --quiet uv==0.13.9
	# For every platform and Python; from PyPI alone, since another index may offer other builds under the same version.
	$(VENV).lock/bin/uv pip compile --quiet --no-config --default-index https://pypi.org/simple --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --constraint constraints.txt --all-extras pyproject.toml --output-file constraints.lock
	rm -rf $(VENV).lock

clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) $(VENV)-clients $(VENV)-fuzz $(VENV)-mutation $(VENV)-security .fuzz mutants sbom.json .coverage .training .training-smoke .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
