# make run       set everything up and show the flows of this machine's containers and processes live
# make test      set everything up and run the tests; make test-long the series, soaks and long fuzzing
# make bench     measure, and print a table (PARTS="report fold" for some)
# make build     compile: addon, BPF object, TypeScript
# make generate  what is written from the sources: record types, docs/METRICS.md, dashboards
# make pictures  draw the dashboards of docs/dashboards.md and the page of docs/page.md
# make check     format, lint, types
# make install   put the run-time files into $(PREFIX)/lib/sockflux, and the command into $(PREFIX)/bin
# make install-units  the same, and the units for systemd with the command of $(PREFIX)
# make uninstall remove them
# make package   a Debian package in build/, with its own Node.js
# make clean     remove built files
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.PHONY: run test test-long bench build check format generate pictures install install-units uninstall package clean packages-run packages-test packages-bench packages-package

# All paths in recipes are relative, so that this folder's name may have blanks and quotes. It must not have a colon (PATH
# is split there), a backslash or an asterisk (Node.js loads no package below them) or a line break (git, npm and tap print a
# name per line).
define NEWLINE


endef
ifneq ($(findstring :,$(CURDIR))$(findstring \,$(CURDIR))$(findstring *,$(CURDIR))$(findstring $(NEWLINE),$(CURDIR)),)
$(error Sockflux cannot be built in a folder whose path has a colon, a backslash, an asterisk or a line break: move it)
endif
ifeq ($(wildcard deploy/setup.sh),)
$(error Run make in the folder of Sockflux, or with -C: this is another one)
endif

export PATH := $(CURDIR)/build/node/bin:$(PATH)

# not from the environment, where other programs set PREFIX; taken literally, with `$`
PREFIX := /usr/local
override export PREFIX := $(value PREFIX)
export DESTDIR

ADDON := native/build/Release/bcc_bindings.node
BINDINGS := native/dist/index.js
BPF := build/bpf/probe.bpf.o
DIST := build/.dist
MODULES := node_modules/.package-lock.json
C_SOURCES = $(shell find probe native test -name '*.[ch]' -o -name '*.cc' | grep -vE '/(node_modules|build)/' | sort)
SOURCES := $(shell find wire cli probe collector grafana native -name '*.ts' -not -path '*/node_modules/*' 2>/dev/null)
# served to browsers as they are
SITE := $(shell find collector/page/site -type f 2>/dev/null)
DASHBOARDS := $(wildcard grafana/influxql/*.json grafana/prometheus/*.json)

CLANG ?= clang
BPF_ARCH := $(subst x86_64,x86,$(subst aarch64,arm64,$(shell uname -m)))
BPF_FLAGS := -O2 -g -fdebug-compilation-dir=. -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Iprobe/bpf -I/usr/include/$(shell uname -m)-linux-gnu

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
	@clang-format --dry-run -Werror $(C_SOURCES)

# `npm run fix` without the TypeScript
format:
	@clang-format -i $(C_SOURCES)

# the record types, from the C headers; the document and the dashboards, from their tables
generate: $(ADDON) $(BINDINGS) $(BPF)
	node probe/bpf/generate.ts
	node collector/metrics/generate.ts
	node grafana/generate.ts

# each dashboard, drawn from what the pipeline writes while two pods talk; the page in a browser
pictures: packages-test build
	node test/grafana/pictures.ts
	node test/collector/page/pictures.ts

install: build
	@node deploy/install.ts install

install-units: install
	@node deploy/units.ts install

# with the Node.js of this clone or of the installation
uninstall:
	@PATH="$$PWD/build/node/bin:$$DESTDIR$$PREFIX/lib/sockflux/build/node/bin:$$PATH" node deploy/units.ts uninstall
	@PATH="$$PWD/build/node/bin:$$DESTDIR$$PREFIX/lib/sockflux/build/node/bin:$$PATH" node deploy/install.ts uninstall

package: packages-package build
	@node deploy/package/main.ts

clean:
	rm -rf build dist native/build native/dist node_modules native/node_modules .tap

packages-run packages-test packages-bench packages-package: packages-%:
	@deploy/setup.sh packages $*

packages-test packages-bench packages-package: | packages-run

build/.node: deploy/node.sh | packages-run
	@deploy/setup.sh node
	@touch $@

$(MODULES): package-lock.json package.json native/package.json | build/.node
	@deploy/setup.sh modules
	@touch $@

# nodedir is relative: gyp ends an absolute one at a blank
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

# tap without its compiler: Node.js runs TypeScript directly
build/.tap: .taprc $(MODULES)
	node node_modules/tap/dist/esm/run.mjs build
	@touch $@

# the command, with the Node.js flags of the first line of cli/sockflux.ts
build/sockflux: deploy/launcher.sh cli/sockflux.ts
	@mkdir -p $(@D)
	@sed "s|@FLAGS@|$$(sed -n '1s/.* node //p' cli/sockflux.ts)|" deploy/launcher.sh >$@
	@chmod 755 $@

# with the dashboards, which are copied into a provisioning folder, and the page
$(DIST): $(SOURCES) $(DASHBOARDS) $(SITE) tsconfig.json deploy/tsconfig.build.json | $(MODULES)
	@rm -rf dist
	node_modules/.bin/tsc -p deploy/tsconfig.build.json
	@cp -r grafana/influxql grafana/prometheus dist/grafana/
	@cp -r collector/page/site dist/collector/page/
	@touch $@
