# The targets that `make remove-sample` removes.

NAMES += ONLY PAGE QUICK YES

##@ Template

.PHONY: remove-sample
remove-sample: ## Remove the sample app and template/, and leave a service with example routes; asks first
	$(if $(YES),YES=1 )template/remove-sample

.PHONY: docs
docs: .venv/installed ## Generate docs/sample/rules.md and the examples of the page
	$(ON_HOST) template/docs

.PHONY: bench
bench: .venv/template ## Measure the effect of each line of the Dockerfile; ONLY=row measures one
	.venv/bin/python -m template.bench $(if $(QUICK),--quick) $(if $(value NOTE),--note "$$NOTE") $(ONLY)

.PHONY: bench-peers
bench-peers: .venv/template ## Measure the same app in the styles of other projects
	.venv/bin/python -m template.bench --peers $(if $(QUICK),--quick) $(if $(value NOTE),--note "$$NOTE")

.PHONY: fuzz-reviewer
fuzz-reviewer: .venv/fuzz ## Fuzz the reviewer; SECONDS=60
	.venv/bin/python -m template.fuzz -max_total_time=$(or $(SECONDS),60) -artifact_prefix=.venv/

.PHONY: template
template: .venv/installed ## Test copies, with and without the sample, and the guides; ONLY=copy|service|guides, TESTS=path
	template/trial $(ONLY) $(TESTS)

.PHONY: verify-docs
verify-docs: .venv/installed ## Run the commands of the docs, except the guides; PAGE=path runs one
	template/trial docs $(PAGE)

# The tests of the page and the benchmark need more packages.
venv: .venv/template

.venv/template: .venv/verify template/requirements.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r template/requirements.txt
	touch $@

.venv/fuzz: .venv/installed template/requirements-fuzz.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r template/requirements-fuzz.txt
	touch $@

clean: clean-template

.PHONY: clean-template
clean-template:
	rm -f template/.bench.json
