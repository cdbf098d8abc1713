# Every command that a person needs, by name: `make` prints them. What a target runs is shown as it runs.

.DEFAULT_GOAL := help

# What scripts/NAME does, with the tools of the dev stage.
TOOLS = format
# sample
include sample.mk
# end of sample

DOCKER ?= docker
PORT ?= 8000
# What the images are called: the folder's name made valid, and what git says of the commit.
NAME := $(shell basename "$(CURDIR)" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9]\{1,\}/-/g; s/^-//; s/-$$//')
NAME := $(or $(NAME),app)
IMAGE ?= $(NAME)
VERSION ?= $(shell (git describe --tags --always --dirty 2>/dev/null || echo unversioned) | tr -c 'A-Za-z0-9_.\n-' '-')
# What every image is built on, where it is to be another.
ON = $(if $(PYTHON_IMAGE), --build-arg PYTHON_IMAGE=$(PYTHON_IMAGE))
BUILD = $(DOCKER) build$(ON)
LABELS = $$(scripts/labels $(notdir $(IMAGE)) $(VERSION))

# docker, or host where no engine answers; only these targets can do without one.
ifneq ($(filter dev test lock $(TOOLS),$(MAKECMDGOALS)),)
ifndef RUNTIME
RUNTIME := $(shell $(DOCKER) info >/dev/null 2>&1 && echo docker || echo host)
REASON := $(if $(filter host,$(RUNTIME)), (no engine answers: $(DOCKER) info says why))
endif
ifeq ($(filter docker host,$(RUNTIME)),)
$(error RUNTIME is docker or host, not "$(RUNTIME)")
endif
$(info RUNTIME=$(RUNTIME)$(REASON))
endif

COMPOSE = PORT=$(PORT) $(DOCKER) compose --project-name $(NAME)
# A container with this folder in it, as the user who owns the files: without root, the engine's root is that user.
OWNER = $$($(DOCKER) info --format '{{.SecurityOptions}}' | grep -q rootless && echo 0:0 || echo "$$(id -u):$$(id -g)")
IN_CONTAINER = $(DOCKER) run --rm --user "$(OWNER)" --env HOME=/tmp --volume "$(CURDIR):/app"

##@ Every day

.PHONY: dev
dev: dev-$(RUNTIME) ## the app at http://127.0.0.1:8000, reloading on every save

.PHONY: dev-docker
dev-docker:
	@echo "http://127.0.0.1:$(PORT), once it runs"
	$(COMPOSE) up --build --watch

.PHONY: dev-host
dev-host: .venv/installed
	UVICORN_HTTP=zttp UVICORN_LOG_CONFIG=app/logging.json \
		.venv/bin/uvicorn app.main:app --port $(PORT) --reload --reload-dir app

.PHONY: test
test: test-$(RUNTIME) ## lint, format, types and tests

.PHONY: test-docker
test-docker:
	$(BUILD) --target dev -t $(IMAGE):dev .

.PHONY: test-host
test-host: .venv/installed
	PATH="$(CURDIR)/.venv/bin:$$PATH" scripts/check

.PHONY: format
format: ## format the code and mend what the linter can

$(TOOLS): %: %-$(RUNTIME)

.PHONY: $(TOOLS:=-docker)
$(TOOLS:=-docker): %-docker:
	$(BUILD) --quiet --target dev --build-arg CHECK=false -t $(IMAGE):tools .
	$(IN_CONTAINER) $(IMAGE):tools scripts/$*

.PHONY: $(TOOLS:=-host)
$(TOOLS:=-host): %-host: .venv/installed
	PATH="$(CURDIR)/.venv/bin:$$PATH" scripts/$*

.PHONY: lock
lock: lock-$(RUNTIME) ## requirements*.txt and the base image's digest; UPGRADE=1 for the newest, PIN=false for no digest

.PHONY: lock-docker
lock-docker:
	$(BUILD) --quiet --target base -t $(IMAGE):base .
	$(IN_CONTAINER) $(IMAGE):base scripts/lock $(if $(UPGRADE),--upgrade)
	scripts/pin $(if $(filter false,$(PIN)),--off,$(if $(UPGRADE),--upgrade))

.PHONY: lock-host
lock-host:
	scripts/lock $(if $(UPGRADE),--upgrade)
	$(if $(filter false,$(PIN)),scripts/pin --off,@echo "the base image's digest stays as it is: an engine has to ask for it")

##@ The image

.PHONY: build
build: ## the production image
	$(BUILD) $(LABELS) -t $(IMAGE):$(VERSION) .
	@echo "$(IMAGE):$(VERSION)"

.PHONY: fresh
fresh: ## the same from nothing: newest base image, no cache
	$(BUILD) --pull --no-cache $(LABELS) -t $(IMAGE):$(VERSION) .
	@echo "$(IMAGE):$(VERSION)"

.PHONY: run
run: build ## the production image, locked down, at http://127.0.0.1:8000
	@echo "http://127.0.0.1:$(PORT), once it runs"
	$(DOCKER) run --rm --publish 127.0.0.1:$(PORT):8000 --read-only --cap-drop ALL \
		--security-opt no-new-privileges --memory 256m --memory-swap 256m --pids-limit 64 $(IMAGE):$(VERSION)

.PHONY: verify
verify: build venv ## questions that image: what is in it, how it runs, what it answers; TESTS=path for some
	scripts/verify $(IMAGE):$(VERSION) $(TESTS)

.PHONY: load
load: build venv ## the same for the load that it bears, at length
	LOAD_SECONDS=30 scripts/verify $(IMAGE):$(VERSION) tests/image/test_load.py

.PHONY: rollout
rollout: build .venv/installed ## replaces two containers behind a proxy under load: no request fails; SECONDS=60
	.venv/bin/python -m deploy.haproxy.rollout $(IMAGE):$(VERSION) $(if $(SECONDS),--seconds $(SECONDS))

.PHONY: audit
audit: .venv-audit/installed ## what others find in the workflows, the Dockerfile, the scripts and the manifests
	PATH="$(CURDIR)/.venv-audit/bin:$$PATH" scripts/audit

.PHONY: reproduce
reproduce: ## build the commit twice from nothing: one digest, whatever the folder and the time
	scripts/reproduce $(IMAGE):reproduced$(ON) $(LABELS)

.PHONY: push
push: ## amd64 and arm64, to a registry: make push IMAGE=registry/name VERSION=v1
	$(if $(findstring /,$(IMAGE)),,$(error say where to push: make push IMAGE=registry/name VERSION=v1))
	scripts/push $(IMAGE):$(VERSION)$(ON) $(LABELS)

##@ Kubernetes

.PHONY: deploy
deploy: ## to a cluster, by digest: make deploy IMAGE=registry/name VERSION=v1; PRINT=1 prints it only
	$(if $(findstring /,$(IMAGE))$(filter local,$(OVERLAY)),,$(error say what: make deploy IMAGE=registry/name VERSION=v1))
	scripts/deploy $(IMAGE):$(VERSION) $(or $(NAMESPACE),$(NAME))

.PHONY: cluster
cluster: .venv/installed ## no request fails while one image replaces another: in a cluster made for it, by kind
	PYTHON=.venv/bin/python scripts/cluster $(IMAGE)$(ON)

##@ Housekeeping

.PHONY: clean
clean: ## remove what these targets made: containers, images, .venv, caches
	-@if $(DOCKER) info >/dev/null 2>&1; then set -x; \
		$(COMPOSE) down --rmi local --volumes --remove-orphans; \
		images=$$($(DOCKER) images --format '{{.Repository}}:{{.Tag}}' $(IMAGE)); \
		[ -z "$$images" ] || $(DOCKER) image rm --force $$images; fi
	rm -rf .venv .venv-audit .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n%s\n' 'Settings: RUNTIME=docker|host  PORT=$(PORT)  IMAGE=$(IMAGE)  VERSION=$(VERSION)  DOCKER=$(DOCKER)'

.venv/installed: requirements.txt requirements-dev.txt scripts/venv
	scripts/venv .venv requirements.txt requirements-dev.txt

.venv-audit/installed: requirements-audit.txt scripts/venv
	scripts/venv .venv-audit requirements-audit.txt

# What scripts/verify needs.
.PHONY: venv
venv: .venv/verify

.venv/verify: .venv/installed requirements-verify.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-verify.txt
	touch .venv/verify
