# `make` prints the targets. Each one shows the commands that it runs.

.DEFAULT_GOAL := help

# These targets also work without a container engine.
ANYWHERE = dev test format lock
# These settings must be names. scripts/settings.mk stops if a setting contains what make or a shell would run.
NAMES = IMAGE INSTANCE NAMESPACE OFF OVERLAY PORT PYTHON_VERSION RUNTIME SECONDS SEED UPGRADE VERSION VOLUMES
-include template/targets.mk
include scripts/settings.mk

DOCKER ?= docker
ifndef PORT
# As in Compose, the value in .env may be quoted, and the last one counts.
PORT := $(or $(shell sed -n "s/^PORT=[\"']\{0,1\}\([^\"' ]*\).*/\1/p" .env 2>/dev/null | tr -d '\r' | tail -n 1),8000)
$(call check_name,PORT)
endif
# The image is named after the folder, made valid, and tagged with the version from git.
NAME := $(shell export LC_ALL=C; basename "$$(pwd -P)" | tr A-Z a-z | tr -cs a-z0-9 - | sed 's/^-//; s/-$$//')
NAME := $(or $(NAME),app)
$(call check_name,NAME)
IMAGE ?= $(NAME)
VERSION ?= $(or $(shell export LC_ALL=C; git describe --tags --always --dirty 2>/dev/null | tr -c 'A-Za-z0-9_.\n-' - \
	| sed 's/^[.-]*//'),unversioned)
LABELS = labels=$$(scripts/labels $(notdir $(IMAGE)) $(VERSION)) &&

# Ignore PYTHON_VERSION from the environment, because the Python images set a variable of that name.
ifneq ($(origin PYTHON_VERSION),command line)
PYTHON_VERSION :=
endif
BASE = $(shell PYTHON_VERSION='$(PYTHON_VERSION)' PYTHON_IMAGE='$(PYTHON_IMAGE)' scripts/pin --show 2>&1)
BASE_IMAGE = $(if $(filter pin:,$(BASE)),$(error $(BASE)),$(BASE))
BUILD_ARGS = $(if $(BASE_IMAGE),)$(if $(PYTHON_VERSION), --build-arg PYTHON_VERSION=$(PYTHON_VERSION))$(if \
	$(PYTHON_IMAGE), --build-arg PYTHON_IMAGE=$(PYTHON_IMAGE))
# Without --load, a builder that runs in a container does not give the image to the engine.
BUILD = $(DOCKER) build --load$(BUILD_ARGS)

ifneq ($(filter $(ANYWHERE),$(MAKECMDGOALS)),)
ifndef RUNTIME
RUNTIME := $(shell $(DOCKER) info >/dev/null 2>&1 && echo docker || echo host)
REASON := $(if $(filter host,$(RUNTIME)), (no container engine: $(DOCKER) info prints why))
endif
ifeq ($(filter docker host,$(RUNTIME)),)
$(error RUNTIME must be docker or host, not "$(RUNTIME)")
endif
$(info RUNTIME=$(RUNTIME)$(REASON))
endif

COMPOSE = PORT=$(PORT) $(if $(PYTHON_VERSION),PYTHON_IMAGE=$(BASE_IMAGE) )DOCKER="$(DOCKER)" scripts/compose
# Run a container on this folder as the owner of the files. In a rootless engine, that is the container's root.
OWNER = $$($(DOCKER) info | grep -Eq '^ *rootless(: true)?$$' && echo 0:0 || echo "$$(id -u):$$(id -g)")
IN_CONTAINER = $(DOCKER) run --rm --user "$(OWNER)" --env HOME=/tmp --mount type=bind,source=.,target=/app
BUILD_TOOLS = $(BUILD) --quiet --target dev --build-arg CHECK=false -t $(IMAGE):tools .
ON_HOST = PATH="$$PWD/.venv/bin:$$PATH"
# As in Compose, .env sets the variables that the shell does not set.
DOTENV = $(if $(wildcard .env),.venv/bin/dotenv run --no-override --)

##@ Every day

.PHONY: dev
dev: dev-$(RUNTIME) ## Serve the app at http://127.0.0.1:8000 and reload it on every save

.PHONY: dev-docker
dev-docker: engine
	$(COMPOSE) build
	@echo "Open http://127.0.0.1:$(PORT) or http://127.0.0.1:$(PORT)/docs when the app has started"
	$(COMPOSE) up --watch

.PHONY: dev-host
dev-host: .venv/installed
	@echo "Open http://127.0.0.1:$(PORT) or http://127.0.0.1:$(PORT)/docs when the app has started"
	$(DOTENV) sh -c 'APP_DOCS=$${APP_DOCS-true} UVICORN_LOG_CONFIG=app/logging.json UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=1 \
		exec .venv/bin/uvicorn app.main:app --port $(PORT) --reload --reload-dir app'

.PHONY: test
test: test-$(RUNTIME) ## Run the checks: lint, format, types, tests

.PHONY: test-docker
test-docker: engine
	scripts/test $(BUILD) --progress=plain --target dev -t $(IMAGE):dev .

.PHONY: test-host
test-host: .venv/installed
	$(ON_HOST) scripts/check

.PHONY: format
format: format-$(RUNTIME) ## Format the code and fix what the linter can fix

.PHONY: format-docker
format-docker: engine
	$(BUILD_TOOLS)
	$(IN_CONTAINER) $(IMAGE):tools scripts/format

.PHONY: format-host
format-host: .venv/installed
	$(ON_HOST) scripts/format

.PHONY: lock
lock: lock-$(RUNTIME) ## Lock the packages of each .in file; UPGRADE=1 takes the newest versions

.PHONY: lock-docker
lock-docker: engine
	$(BUILD) --quiet --target base -t $(IMAGE):base .
	$(IN_CONTAINER) $(IMAGE):base scripts/lock $(if $(UPGRADE),--upgrade)

.PHONY: lock-host
lock-host:
	scripts/lock $(if $(UPGRADE),--upgrade)

.PHONY: build
build: engine ## Build the production image
	$(LABELS) $(BUILD) $$labels -t $(IMAGE):$(VERSION) .
	@echo "$(IMAGE):$(VERSION)"

.PHONY: run
run: build ## Run the production image, locked down, at http://127.0.0.1:8000
	@echo "Open http://127.0.0.1:$(PORT) when the app has started"
	$(DOCKER) run --rm --publish 127.0.0.1:$(PORT):8000 $(shell cat deploy/options.txt) $(RUN_OPTIONS) $(IMAGE):$(VERSION)

.PHONY: clean
clean: ## Remove what these targets made: containers, images, .venv, caches; VOLUMES=1 removes the volumes too
	-@if $(DOCKER) info >/dev/null 2>&1; then set -x; \
		$(COMPOSE) down --rmi local --remove-orphans$(if $(VOLUMES), --volumes); \
		images=$$($(DOCKER) images --format '{{.Repository}}:{{.Tag}}' $(IMAGE)); \
		[ -z "$$images" ] || $(DOCKER) image rm --force $$images; fi
	rm -rf .venv .venv-audit .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	@$(if $(VOLUMES),,echo "Volumes stay: make clean VOLUMES=1 removes them")

# Print what is missing, instead of "docker: command not found".
.PHONY: engine
engine:
	@DOCKER="$(DOCKER)" scripts/engine

.PHONY: help
help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n%s\n' 'Start with: make dev'
	@printf '%s\n' 'Settings: RUNTIME=docker|host  PORT=$(PORT)  IMAGE=$(IMAGE)  VERSION=$(VERSION)'
	@printf '%s\n' '          PYTHON_VERSION=3.13  PYTHON_IMAGE=registry/python:3.12-slim  DOCKER=$(DOCKER)'
	@printf '%s\n' 'One test: docker compose run --rm app pytest tests/unit/test_main.py  or  .venv/bin/pytest ...'

##@ Image

.PHONY: verify
verify: build venv ## Run black-box tests against the production image; TESTS=path runs some of them
	scripts/verify $(IMAGE):$(VERSION) $(TESTS)

.PHONY: load
load: build venv ## Measure the requests per second, latency and memory of the production image
	LOAD_SECONDS=30 scripts/verify $(IMAGE):$(VERSION) tests/image/test_load.py

.PHONY: fuzz
fuzz: build venv ## Send mutated requests to the production image; SECONDS=60 SEED=0
	FUZZ_SECONDS=$(or $(SECONDS),60) FUZZ_SEED=$(or $(SEED),0) scripts/verify $(IMAGE):$(VERSION) tests/image/test_fuzz.py

.PHONY: audit
audit: .venv-audit/installed ## Lint the workflows, the Dockerfile, the scripts and the manifests
	PATH="$$PWD/.venv-audit/bin:$$PATH" scripts/audit

.PHONY: fresh
fresh: engine ## Build the production image on a newly pulled base image, without cache
	$(LABELS) $(BUILD) --pull --no-cache $$labels -t $(IMAGE):$(VERSION) .
	@echo "$(IMAGE):$(VERSION)"

.PHONY: pin
pin: ## Pin the base image by digest; UPGRADE=1 updates the digest, OFF=1 removes it
	scripts/pin $(if $(OFF),--off,$(if $(UPGRADE),--upgrade))

.PHONY: reproduce
reproduce: engine ## Build the commit twice without cache and compare the digests
	$(LABELS) scripts/reproduce $(IMAGE):reproduced$(BUILD_ARGS) $$labels

.PHONY: push
push: engine ## Push for amd64 and arm64: make push IMAGE=registry/name VERSION=v1
	$(if $(findstring /,$(IMAGE)),,$(error IMAGE must include a registry: make push IMAGE=registry/name VERSION=v1))
	$(LABELS) scripts/push $(IMAGE):$(VERSION)$(BUILD_ARGS) $$labels

##@ Delivery

.PHONY: deploy
deploy: ## Deploy to Kubernetes: make deploy IMAGE=registry/name VERSION=v1; PRINT=1 only prints the manifests
	$(if $(findstring /,$(IMAGE))$(filter local,$(OVERLAY)),,$(error IMAGE must include a registry: make deploy \
		IMAGE=registry/name VERSION=v1))
	scripts/deploy $(IMAGE):$(VERSION) $(or $(NAMESPACE),$(NAME)) $(or $(INSTANCE),$(NAME))

.PHONY: rollout
rollout: build .venv/installed ## Replace two containers behind a load balancer under load; SECONDS=60
	.venv/bin/python -m deploy.haproxy.rollout $(IMAGE):$(VERSION) $(if $(SECONDS),--seconds $(SECONDS))

.PHONY: cluster
cluster: .venv/installed ## Update a deployment under load in a temporary kind cluster
	PYTHON=.venv/bin/python scripts/cluster $(IMAGE)$(BUILD_ARGS)

.venv/installed: requirements.txt requirements-dev.txt scripts/venv
	scripts/venv .venv requirements.txt requirements-dev.txt

.venv-audit/installed: requirements/audit.txt scripts/venv
	scripts/venv .venv-audit requirements/audit.txt

# Install what scripts/verify needs.
.PHONY: venv
venv: .venv/verify

.venv/verify: .venv/installed requirements/verify.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/verify.txt
	touch .venv/verify
