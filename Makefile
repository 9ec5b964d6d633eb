# Two commands matter: `make demo` (the main job, in the lab) and `make test` (all tests that CI runs).
# Both install what they need on a fresh Debian or Ubuntu machine and say what they do. They need root: the lab makes
# network namespaces and boots nodes.

SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
NODE := node_modules/node/bin/node

.PHONY: demo problem test test-node test-long check install artefacts build

demo: install artefacts build
	$(NODE) scripts/demo.ts

# The other half of the story: plain kubeadm, as its manual says, behind the same balancer, and what breaks.
problem: install artefacts
	$(NODE) src/lab/rehearsal/show-problem.main.ts

test: install artefacts
	$(NODE) scripts/test.ts check unit wire node:$(shell sed 's/\#.*//' test/node/carrying.txt 2>/dev/null | xargs | tr ' ' ',')

test-node: install artefacts
	$(NODE) scripts/test.ts node

test-long: install artefacts
	$(NODE) scripts/test.ts long

check: install
	npm run --silent check

install:
	@scripts/install.sh

# What nodes get; done in a moment when no source has changed.
build: install
	@$(NODE) scripts/build.ts --arch $$($(NODE) -p process.arch)

artefacts: install
	@bin/hairpin lab artefacts
