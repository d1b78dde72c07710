# Project commands. `make demo` and `make test` need only python3 with venv, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# Half of a test's time is waiting for child processes, so there are more workers than cores.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 3 // 2)')
PARALLEL := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help setup check test kills simulate agreement demo live replay bench year pictures schemas docs proto lock clean

help:
	@echo "make demo [KEEP=DIR]        play the demo on a simulated market, about a minute"
	@echo "make demo ADAPTER=ansible   play it with real containers of this machine's podman"
	@echo "make test                   lint, types, layers and all tests"
	@echo "make check                  lint, types and layers"
	@echo "make kills                  kill the daemon at every point of a whole run, about 10 minutes"
	@echo "make simulate [SEEDS=1000] [FIRST=0] | MUTANTS=1 | SEED=... [STEPS=...]"
	@echo "                            30 days of chain time per seed with faults everywhere; replay a seed"
	@echo "make agreement              compare validate, check-jsonschema and the editors' language server (npm)"
	@echo "make replay FILES='...'     compare recordings of a real chain with the simulated chain"
	@echo "make live KUBECONFIG=... | NODE_GRPC=... NODE_RPC=... KEYRING=... | FORGE_ENV=... [ACT=...]"
	@echo "                            contract tests against real systems, podman and sshd; ACT runs the CI workflow"
	@echo "make bench                  benchmarks, as ratios of one run"
	@echo "make year [DAYS=365]        a year with 200 tenants: ledger, journal, time of a cycle"
	@echo "make pictures               renew the pictures of the README from a run of the demo (needs Chromium)"
	@echo "make schemas | docs | proto | lock   renew generated files"

setup: $(STAMP)

$(STAMP): .ci/requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	@if command -v actionlint >/dev/null; then actionlint ci/provider-review.yml; else echo "actionlint is not on the PATH: skipped"; fi
	$(BIN)/zizmor --offline --quiet --no-progress ci/provider-review.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows ci/provider-review.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci ci/gitlab/gitlab-ci.yml

test: check
	$(BIN)/pytest -m "not live" $(PARALLEL)

# Every point at which the daemon can die; `make test` takes a share of them.
kills: $(STAMP)
	KILLS=all $(BIN)/pytest $(PARALLEL) tests/simulation/test_kills.py tests/simulation/test_journal_lost.py

# The whole loop in one process, reproducible from a seed; a failing seed prints the command that replays it.
simulate: $(STAMP)
	@$(BIN)/python -m tests.simulation.seeded $(if $(MUTANTS),--mutants) $(if $(SEED),--seed $(SEED) --steps "$(STEPS)",--seeds $(or $(SEEDS),1000) --first $(or $(FIRST),0))

agreement: $(STAMP)
	$(BIN)/pytest tests/agreement

# KUBECONFIG counts only on make's command line: the demo ignores the cluster of the environment.
demo: $(STAMP)
	@$(BIN)/provider-daemon demo $(if $(KEEP),--keep $(KEEP)) $(if $(ADAPTER),--adapter $(ADAPTER)) $(if $(filter command line,$(origin KUBECONFIG)),--kubeconfig $(KUBECONFIG))

replay: $(STAMP)
	$(BIN)/python -m tests.replay $(FILES)

live: $(STAMP)
	$(BIN)/pytest -m live -v

bench: $(STAMP)
	$(BIN)/python -m tests.bench

# A year of a provider with 200 tenants, an hour a cycle; takes some minutes.
year: $(STAMP)
	$(BIN)/python -m tests.bench.year $(DAYS)

pictures: $(STAMP)
	$(BIN)/python -m docs.pictures.make

schemas docs: $(STAMP)
	$(BIN)/provider-daemon schemas --write schemas
	$(BIN)/provider-daemon schemas --reference docs/reference

proto: $(STAMP)
	$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. reconciler/chain/proto/*.proto

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --group dev pyproject.toml -o .ci/requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --constraint .ci/requirements.lock --group build pyproject.toml -o ci/requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .demo
