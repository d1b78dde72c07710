# The project's commands. `make demo` and `make test` need only python3 with venv, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: help setup check test kills agreement demo live replay bench pictures schemas docs proto lock clean

help:
	@echo "make demo    the main job on a simulated market, at most 90 seconds"
	@echo "make demo ADAPTER=ansible   real containers on this machine, with its podman"
	@echo "make test    lint, types, floors and every test"
	@echo "make check   lint, types and floors alone"
	@echo "make kills   the daemon killed at every point of a whole run, some 10 minutes"
	@echo "make agreement   validate, check-jsonschema and the editors' language server (npm) over one corpus"
	@echo "make replay FILES=\"a.jsonl b.jsonl\"   recorded chains against the simulated one"
	@echo "make live KUBECONFIG=... | NODE_GRPC=... NODE_RPC=... KEYRING=... | FORGE_ENV=... [ACT=...]   contracts against real things;"
	@echo "          ACT is the act program, which runs the workflow for CI; with this machine's podman and sshd where there are any"
	@echo "make bench   figures, as ratios of one run"
	@echo "make schemas | docs | proto | lock   write generated files again"

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
	@if command -v actionlint >/dev/null; then actionlint ci/provider-review.yml; else echo "actionlint is not on the PATH: not run"; fi
	$(BIN)/zizmor --offline --quiet --no-progress ci/provider-review.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows ci/provider-review.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci ci/gitlab/gitlab-ci.yml

test: check
	$(BIN)/pytest -m "not live" --numprocesses auto --dist loadfile

# Every point at which the daemon can die; `make test` takes every third of those that occur in each cycle.
kills: $(STAMP)
	KILLS=all $(BIN)/pytest --numprocesses auto --dist loadfile tests/simulation/test_kills.py tests/simulation/test_journal_lost.py

agreement: $(STAMP)
	$(BIN)/pytest tests/agreement

# KUBECONFIG counts only when it is named in the call: a demo never strays into the cluster of the day.
demo: $(STAMP)
	@$(BIN)/provider-daemon demo $(if $(KEEP),--keep $(KEEP)) $(if $(ADAPTER),--adapter $(ADAPTER)) $(if $(filter command line,$(origin KUBECONFIG)),--kubeconfig $(KUBECONFIG))

replay: $(STAMP)
	$(BIN)/python -m tests.replay $(FILES)

live: $(STAMP)
	$(BIN)/pytest -m live -v

bench: $(STAMP)
	$(BIN)/python -m tests.bench

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
