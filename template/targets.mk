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

.PHONY: fuzz
fuzz: .venv/fuzz ## try the reviewer on texts that are bred to reach more of it; SECONDS=60
	.venv/bin/python -m tests.fuzz -max_total_time=$(or $(SECONDS),60) -artifact_prefix=.venv/

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
venv: .venv/sample

.venv/sample: .venv/verify
.venv/fuzz: .venv/installed
.venv/sample .venv/fuzz: .venv/%: requirements-%.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-$*.txt
	touch $@
