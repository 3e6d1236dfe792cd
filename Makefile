# Thin names over plain commands; CONTRIBUTING.md spells the commands out.

.PHONY: help demo test bench fuzz lint screens

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run broker, gate, app and a stand-in Auth0 tenant on loopback
	go run ./examples/demo

test: ## Vet and test every module with the race detector; nothing may skip
	tools/test.sh

bench: ## Run the benchmarks of the hot paths, and the gate against a plain proxy
	go test -run '^$$' -bench . -benchmem ./...
	cd interop && go test -run '^$$' -bench GateRatio -benchtime 1x -timeout 30m .

fuzz: ## Fuzz each target for FUZZTIME (default 20s)
	tools/fuzz.sh

lint: ## Linters, formatting and known vulnerabilities
	tools/lint.sh

screens: ## Draw the pictures in docs/screens anew, in Chromium
	cd interop && go test -run '^TestScreens$$' -count 1 . -args -screens ../docs/screens
