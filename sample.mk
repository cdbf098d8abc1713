# The targets of the sample, which `make bare` takes away: this file, and the lines that include it.

TOOLS += docs

##@ The sample

.PHONY: docs
docs: ## docs/rules.md and the page's examples, from the code

.PHONY: bench
bench: .venv/sample ## what each line of the Dockerfile buys, measured: docs/benchmarks.md; ONLY=row for one
	.venv/bin/python -m bench $(if $(QUICK),--quick) $(if $(NOTE),--note "$(NOTE)") $(ONLY)

.PHONY: bench-peers
bench-peers: .venv/sample ## the same app in the styles that people would otherwise pick: docs/peers.md
	.venv/bin/python -m bench --peers $(if $(QUICK),--quick) $(if $(NOTE),--note "$(NOTE)")

.PHONY: bare
bare: ## take the sample away: a service with one example route is left; asks first
	$(if $(YES),YES=1 )scripts/bare

.PHONY: template
template: ## try a copy under another name, as it is and bare; ONLY=copy|bare, TESTS=path for some
	scripts/template $(ONLY) $(TESTS)

clean: clean-sample

.PHONY: clean-sample
clean-sample:
	rm -f .bench.json

# What the page is tried with, too.
verify: .venv/sample

.venv/sample: .venv/verify requirements-sample.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-sample.txt
	touch .venv/sample
