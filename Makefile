# make run    set everything up and show, live, what this machine's containers and processes talk
# make test   set everything up and run all tests
# make bench  measure, and print a table (PARTS="report fold" for some)
# make build  compile: addon, BPF object, TypeScript
# make check  format, lint, types
# make clean  remove what was built
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.PHONY: run test bench build check generate clean packages-run packages-test packages-bench

NODE_DIR := $(CURDIR)/build/node
export PATH := $(NODE_DIR)/bin:$(PATH)
# node-gyp looks here for Node's headers, instead of downloading them
export npm_config_nodedir := $(NODE_DIR)

ADDON := native/build/Release/bcc_bindings.node
BINDINGS := native/dist/index.js
BPF := build/bpf/probe.bpf.o
DIST := build/.dist
MODULES := node_modules/.package-lock.json
SOURCES := $(shell find wire cli probe collector native -name '*.ts' -not -path '*/node_modules/*' 2>/dev/null)

CLANG ?= clang
BPF_ARCH := $(subst x86_64,x86,$(subst aarch64,arm64,$(shell uname -m)))
BPF_FLAGS := -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Iprobe/bpf -I/usr/include/$(shell uname -m)-linux-gnu

run: build
	@exec build/sockflux run $(RUN_FLAGS)

test: packages-test build build/.tap
	@exec node test/run.ts $(TESTS)

bench: packages-bench build
	@exec node test/bench/main.ts $(PARTS)

build: $(ADDON) $(BINDINGS) $(BPF) $(DIST) build/sockflux

check: $(MODULES)
	node_modules/.bin/biome ci --reporter=summary .
	node_modules/.bin/tsc
	clang-format --dry-run -Werror probe/bpf/*.[ch] probe/bpf/*/*.h native/src/*.cc native/src/*.h

# the record types, from the C headers
generate: $(ADDON) $(BINDINGS) $(BPF)
	node probe/bpf/generate.ts
	node collector/metrics/generate.ts

clean:
	rm -rf build dist native/build native/dist node_modules native/node_modules .tap

packages-run packages-test packages-bench: packages-%:
	@deploy/setup.sh packages $*

build/.node: deploy/setup.sh | packages-run
	@rm -rf $(NODE_DIR) build/npm
	@deploy/setup.sh node build
	@touch $@

$(MODULES): package-lock.json package.json native/package.json | build/.node
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(ADDON): native/binding.gyp $(wildcard native/src/*) | $(MODULES)
	cd native && node ../node_modules/node-gyp/bin/node-gyp.js rebuild --silent --nodedir=$(NODE_DIR)
	@touch $@

# Node.js can run the sources, but takes 13 MB to strip their types
$(BINDINGS): $(wildcard native/*.ts) native/tsconfig.build.json tsconfig.json | $(MODULES)
	node_modules/.bin/tsc -p native/tsconfig.build.json
	@touch $@

$(BPF): $(wildcard probe/bpf/*.[ch] probe/bpf/*/*.h) | packages-run
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c probe/bpf/probe.bpf.c -o $@

# tap, without the compiler that it brings: Node.js runs TypeScript as it is
build/.tap: .taprc $(MODULES)
	node node_modules/tap/dist/esm/run.mjs build
	@touch $@

# the command, with the Node.js that it was built for; V8 is told what cli/sockflux.ts says in its first line
build/sockflux: Makefile cli/sockflux.ts
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nSOCKFLUX_COMMAND="$$0" exec "%s" %s "%s" "$$@"\n' $(NODE_DIR)/bin/node "$$(sed -n '1s/.* node //p' cli/sockflux.ts)" $(CURDIR)/dist/cli/sockflux.js >$@
	@chmod 755 $@

$(DIST): $(SOURCES) tsconfig.json deploy/tsconfig.build.json | $(MODULES)
	@rm -rf dist
	node_modules/.bin/tsc -p deploy/tsconfig.build.json
	@touch $@
