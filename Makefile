# make run       set everything up and show, live, what this machine's containers and processes talk
# make test      set everything up and run the tests; make test-long the series, soaks and long fuzzing
# make bench     measure, and print a table (PARTS="report fold" for some)
# make build     compile: addon, BPF object, TypeScript
# make check     format, lint, types
# make install   put what is needed at run time into $(PREFIX)/lib/sockflux, and the command into $(PREFIX)/bin
# make uninstall remove that
# make clean     remove what was built
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.PHONY: run test test-long bench build check generate install uninstall clean packages-run packages-test packages-bench

# No recipe names this folder: all paths are relative, so that its name may have blanks and quotes. What remains:
# PATH ends a folder at `:`, Node.js loads no package below `\`, and git, npm and tap print a name to a line.
define NEWLINE


endef
ifneq ($(findstring :,$(CURDIR))$(findstring \,$(CURDIR))$(findstring $(NEWLINE),$(CURDIR)),)
$(error Sockflux cannot be built in a folder whose path has a colon, a backslash or a line break: move it)
endif
ifeq ($(wildcard deploy/setup.sh),)
$(error Run make in the folder of Sockflux, or with -C: this is another one)
endif

export PATH := $(CURDIR)/build/node/bin:$(PATH)

# not from the environment, where others have a PREFIX of their own; as they were typed, `$` and all
PREFIX := /usr/local
override export PREFIX := $(value PREFIX)
export DESTDIR

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

test-long: packages-test build build/.tap
	@exec node test/run.ts --long $(TESTS)

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

install: build
	@node deploy/install.ts install

# with the Node.js that is there: of this clone, or of the installation itself
uninstall:
	@PATH="$$PWD/build/node/bin:$$DESTDIR$$PREFIX/lib/sockflux/build/node/bin:$$PATH" node deploy/install.ts uninstall

clean:
	rm -rf build dist native/build native/dist node_modules native/node_modules .tap

packages-run packages-test packages-bench: packages-%:
	@deploy/setup.sh packages $*

packages-test packages-bench: | packages-run

build/.node: deploy/node.sh | packages-run
	@deploy/setup.sh node
	@touch $@

$(MODULES): package-lock.json package.json native/package.json | build/.node
	@deploy/setup.sh modules
	@touch $@

# nodedir as seen from here: absolute, a blank in it would end it (gyp)
$(ADDON): native/binding.gyp $(wildcard native/src/*) | $(MODULES)
	cd native && node ../node_modules/node-gyp/bin/node-gyp.js rebuild --silent --nodedir=../build/node
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

# the command; V8 is told what cli/sockflux.ts says in its first line
build/sockflux: deploy/launcher.sh cli/sockflux.ts
	@mkdir -p $(@D)
	@sed "s|@FLAGS@|$$(sed -n '1s/.* node //p' cli/sockflux.ts)|" deploy/launcher.sh >$@
	@chmod 755 $@

$(DIST): $(SOURCES) tsconfig.json deploy/tsconfig.build.json | $(MODULES)
	@rm -rf dist
	node_modules/.bin/tsc -p deploy/tsconfig.build.json
	@touch $@
