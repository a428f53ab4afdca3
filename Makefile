# hull's build. `make help` lists what it can do.
#
# The binary is one static file: musl when musl-gcc is there, else glibc.
# Nothing outside this directory is written, except by deps and install.

GO      ?= go
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
DESTDIR ?=

VERSION ?= 0.1.0
COMMIT  ?= $(shell git describe --always --dirty --abbrev=12 2>/dev/null)

HOSTARCH := $(shell $(GO) env GOHOSTARCH)
GOARCH   ?= $(HOSTARCH)
OUTPUT   ?= hull

# What is made on the way (tools, another libc's view of libseccomp) lives in .build.
BUILD := $(CURDIR)/.build

GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION       := v0.12.0
GOLANGCI_LINT := $(BUILD)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOFUMPT       := $(BUILD)/gofumpt-$(GOFUMPT_VERSION)/gofumpt

# --- the C compilers --------------------------------------------------------

# The stage needs no libc, so any gcc for the machine does.
CC_STAGE     ?= $(if $(filter $(HOSTARCH),$(GOARCH)),gcc,aarch64-linux-gnu-gcc)
# It is position-independent, and has no relocations that somebody would have to do: a test says so.
CFLAGS_STAGE := -std=c11 -Wall -Wextra -Werror -Os -static-pie -fPIE -fvisibility=hidden -fno-jump-tables \
	-nostdlib -ffreestanding -fno-builtin -fno-asynchronous-unwind-tables \
	-fstack-protector-strong -mstack-protector-guard=global -ftrivial-auto-var-init=zero \
	-Wl,-z,noexecstack,-z,relro,-z,now,--build-id=none,-z,noseparate-code -s

# LIBSECCOMP is a directory with libseccomp as the C compiler in use must see it.
LIBSECCOMP :=
export CC := $(CC_STAGE)
ifneq ($(GOARCH),$(HOSTARCH))
LIBSECCOMP := $(BUILD)/$(GOARCH)
export PKG_CONFIG_SYSROOT_DIR := $(LIBSECCOMP)
export PKG_CONFIG_LIBDIR      := $(LIBSECCOMP)/usr/lib/aarch64-linux-gnu/pkgconfig
else ifneq ($(shell command -v musl-gcc),)
# Debian's libseccomp.a lies among glibc's files, which musl-gcc must not see.
LIBSECCOMP := $(BUILD)/musl
export CC := musl-gcc
export CGO_CFLAGS  := -O2 -fstack-protector-strong -isystem $(LIBSECCOMP)/include
export CGO_LDFLAGS := -O2 -L$(LIBSECCOMP)/lib
endif

export CGO_ENABLED := 1
export GOARCH
# TAGS may add more, such as failpoints: see internal/fail.
comma := ,
TAGS  :=
# urfave/cli's documentation generator would cost every start a third of a millisecond.
GOBUILD := -trimpath -tags urfave_cli_no_docs,netgo,osusergo$(addprefix $(comma),$(TAGS))
LDFLAGS := -s -w -linkmode external -extldflags '-static -Wl,-z,noexecstack,-z,relro,-z,now' \
	-X hull/internal/cli.version=$(VERSION) -X hull/internal/cli.commit=$(COMMIT) $(MORE_LDFLAGS)

# --- building ---------------------------------------------------------------

.PHONY: all
all: hull ## build ./hull

.PHONY: hull
hull: stage $(LIBSECCOMP) ## the same; cmd/go knows what is out of date
	$(GO) build $(GOBUILD) -ldflags "$(LDFLAGS)" -o $(OUTPUT) .

.PHONY: stage
stage: nsenter/stage/stage.$(GOARCH) ## build the C stage that nsenter embeds

nsenter/stage/stage.$(GOARCH): $(wildcard nsenter/stage/*.c nsenter/stage/*.h) Makefile | check-deps
	$(CC_STAGE) $(CFLAGS_STAGE) -o $@ nsenter/stage/*.c

$(BUILD)/musl: | check-deps
	mkdir -p $@.new/include $@.new/lib
	ln -sf /usr/include/seccomp.h /usr/include/seccomp-syscalls.h /usr/include/linux /usr/include/asm-generic \
		"/usr/include/$$(gcc -print-multiarch)/asm" $@.new/include/
	ln -sf "$$(gcc -print-file-name=libseccomp.a)" $@.new/lib/
	mv $@.new $@

$(BUILD)/arm64:
	.ci/libseccomp-arm64 $@

.PHONY: cross
cross: ## build ./hull.arm64 on amd64
	@.ci/deps cross
	$(MAKE) GOARCH=arm64 OUTPUT=hull.arm64 hull

ARCHS ?= amd64 arm64
.PHONY: dist
dist: ## archives of a release in dist/, for each of ARCHS, with a bill of materials
	@.ci/deps build $(if $(filter-out $(HOSTARCH),$(ARCHS)),cross)
	.ci/dist $(VERSION) $(ARCHS)

.PHONY: dist-check
dist-check: ## the same twice, in two places: the bytes have to be the same
	@.ci/deps build $(if $(filter-out $(HOSTARCH),$(ARCHS)),cross)
	.ci/dist -c $(VERSION) $(ARCHS)

.PHONY: install
install: hull ## install into $(DESTDIR)$(BINDIR)
	install -D -m 0755 hull '$(DESTDIR)$(BINDIR)/hull'

.PHONY: clean
clean: ## remove everything that was built, tools excepted
	rm -rf hull hull.* dist nsenter/stage/stage.amd64 nsenter/stage/stage.arm64 $(BUILD)/musl $(BUILD)/arm64 $(BUILD)/demo

.PHONY: distclean
distclean: clean ## remove the tools too
	rm -rf $(BUILD)

# --- what must be installed -------------------------------------------------

.PHONY: check-deps
check-deps:
	@.ci/deps -n build

.PHONY: deps
deps: ## install what building, running and testing need (as root)
	.ci/deps build run test lint cross

# --- running and testing ----------------------------------------------------

.PHONY: run
run: ## build, then show a container from inside
	@.ci/deps build run
	@$(MAKE) hull
	@tests/demo/run

.PHONY: test
test: ## all tests
	@.ci/deps build test
	@$(MAKE) test-unit test-integration

.PHONY: test-unit
test-unit: stage $(LIBSECCOMP) ## the tests of each package
	$(GO) test $(GOBUILD) $$($(GO) list ./... | grep -v '^hull/tests')

.PHONY: test-integration
test-integration: hull ## the tests that run ./hull
	HULL=$(CURDIR)/hull $(GO) test $(GOBUILD) -timeout 30m ./tests/...

.PHONY: test-engines
test-engines: hull ## podman, buildah, docker and containerd with hull, and with runc for comparison (as root, cgroup v1)
	@.ci/deps engines
	HULL=$(CURDIR)/hull $(GO) test $(GOBUILD) -count 1 -timeout 30m -v -exec $(CURDIR)/tests/engines/world ./tests/engines

.PHONY: test-cri
test-cri: hull ## containerd's CRI plugin, as Kubernetes uses it, with hull, and with runc for comparison (as root, cgroup v1)
	@.ci/deps engines
	cd tests/cri && HULL=$(CURDIR)/hull CGO_ENABLED=0 $(GO) test -count 1 -timeout 30m -v -exec $(CURDIR)/tests/engines/world .

CONTAINERD_VERSION := v2.1.9
CONTAINERD := $(BUILD)/containerd-$(CONTAINERD_VERSION)
.PHONY: test-cri2
test-cri2: hull $(CONTAINERD)/ctr ## the same with containerd 2, which knows user namespaces and recursive read-only mounts
	@.ci/deps engines
	cd tests/cri && CONTAINERD=$(CONTAINERD) HULL=$(CURDIR)/hull CGO_ENABLED=0 $(GO) test -count 1 -timeout 30m -v -exec $(CURDIR)/tests/engines/world .

# go install refuses modules that exclude versions of others.
$(CONTAINERD)/ctr:
	cd "$$($(GO) mod download -json github.com/containerd/containerd/v2@$(CONTAINERD_VERSION) | sed -n 's/.*"Dir": "\(.*\)",/\1/p')" && \
	GOARCH=$(HOSTARCH) CGO_ENABLED=0 $(GO) build -trimpath -tags no_btrfs,no_devmapper,no_zfs -o $(@D)/ ./cmd/containerd ./cmd/containerd-shim-runc-v2 ./cmd/ctr

DENY ?=
.PHONY: test-fallbacks
test-fallbacks: hull ## the same, once with each system call denied that hull may lack (DENY="clone3=EPERM ..." for one run)
	HULL=$(CURDIR)/hull tests/fallbacks $(if $(DENY),'$(DENY)')

VM := $(BUILD)/vm
LEGS ?= root-cgroupfs root-systemd rootless
.PHONY: test-vm
test-vm: hull $(VM)/image ## the tests in a machine with cgroup v2, systemd and AppArmor, or LEGS of them
	@.ci/deps vm
	tests/vm/run $(VM) $(LEGS)
	$(if $(RUN),,$(if $(filter root-cgroupfs,$(LEGS)),$(GO) run ./tests/conformance $(LEGS:%=v2=$(VM)/logs/%.log)))

.PHONY: bench-vm
bench-vm: hull $(VM)/image ## compare with runc and crun on cgroup v2, in instructions, in that machine
	@.ci/deps vm
	tests/vm/bench $(VM)

.PHONY: test-engines-vm
test-engines-vm: hull $(VM)/engines/image ## podman, docker and containerd in such a machine, with hull, and with runc for comparison
	@.ci/deps vm
	tests/vm/run $(VM)/engines engines

# The engines' machine has more of Debian in it.
$(VM)/image: PACKAGES :=
$(VM)/engines/image: PACKAGES := podman containerd docker.io
$(VM)/image $(VM)/engines/image: tests/vm/image $(shell find tests/vm/guest -type f)
	@.ci/deps vm
	@mkdir -p $(@D)
	tests/vm/image $@ $(PACKAGES)

KILLS   ?= 1000
CYCLES  ?= 2000
CONTROL ?= runc
.PHONY: torture
torture: hull test-load ## fail and kill at each point, then each command KILLS times, then CONTROL's create for comparison
	HULL=$(CURDIR)/hull HULL_TORTURE=all $(GO) test $(GOBUILD) -timeout 3h -run 'AnyPoint|AnyOperation|AnyLate|OfVariants|DeathOf|Dies|OperationsFail|KilledBefore' ./tests
	HULL_TORTURE=all $(GO) test $(GOBUILD) -timeout 1h -run Exchanged ./rootfs
	HULL=$(CURDIR)/hull HULL_TORTURE=all $(GO) test $(GOBUILD) -timeout 1h -run 'Exchanged|2025_52565' ./tests/security
	$(GO) test $(GOBUILD) -timeout 3h ./tests/torture -v -run Kills -args -kills $(KILLS) -step 100us -verbs all -runtime $(CURDIR)/hull
	-command -v $(CONTROL) >/dev/null && $(GO) test $(GOBUILD) -timeout 3h ./tests/torture -v -run Kills -args -kills $(KILLS) -step 100us -verbs create -runtime $(CONTROL) -control

.PHONY: test-load
test-load: hull ## CYCLES containers, 8 at a time, with others asking for them all the time
	$(GO) test $(GOBUILD) -timeout 1h ./tests/torture -v -run ManyContainers -args -cycles $(CYCLES) -runtime $(CURDIR)/hull

BENCH ?=
.PHONY: bench
bench: hull ## compare with runc and crun, on an idle machine as root; BENCH has more flags
	@.ci/deps bench
	$(GO) build $(GOBUILD) -o $(BUILD)/bench ./tests/bench
	$(BUILD)/bench -hull $(CURDIR)/hull -doc docs/performance.md -svg docs/performance.svg $(BENCH)

FUZZTIME  ?= 10s
FUZZTOTAL ?=
.PHONY: fuzz
fuzz: hull ## each fuzz target for FUZZTIME, or all in FUZZTOTAL seconds; what they find goes to testdata/fuzz
	@targets=$$(grep -rEo --include='*_test.go' '^func Fuzz\w+' .); time=$(FUZZTIME); \
	[ -z "$(FUZZTOTAL)" ] || time=$$(($(FUZZTOTAL) / $$(echo "$$targets" | wc -l)))s; \
	echo "$$targets" | while IFS=: read -r file func; do \
		echo "$${func#func } in $$file for $$time"; \
		HULL=$(CURDIR)/hull $(GO) test $(GOBUILD) -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime "$$time" -fuzzminimizetime 2s "$$(dirname "$$file")" || exit; \
	done

# --- taste ------------------------------------------------------------------

SHELL_FILES = .ci/run .ci/deps .ci/dist .ci/libseccomp-arm64 tests/demo/run tests/demo/inside tests/engines/world tests/fallbacks $(addprefix examples/,bundle job build parallel) \
	$(addprefix tests/vm/,image machine run bench inside below suite)
C_FILES     = $(wildcard nsenter/stage/*.[ch] tests/*/*.[ch])

.PHONY: lint
lint: stage $(LIBSECCOMP) $(GOLANGCI_LINT) $(GOFUMPT) ## golangci-lint, gofumpt, shellcheck, clang-format
	@.ci/deps lint
	@bad=$$($(GOFUMPT) -l .); if [ -n "$$bad" ]; then echo "gofumpt would change:"; echo "$$bad"; exit 1; fi
	$(GOLANGCI_LINT) run --allow-parallel-runners --build-tags urfave_cli_no_docs ./...
	shellcheck $(SHELL_FILES)
	clang-format --dry-run --Werror $(C_FILES)

.PHONY: conformance
conformance: ## make docs/conformance.md; with LOGS="v1=FILE v2=FILE" of go test -v, check that what it names has run and passed
	$(GO) run ./tests/conformance $(LOGS)

.PHONY: fmt
fmt: $(GOLANGCI_LINT) $(GOFUMPT) ## format Go and C, and mend what the linters can
	-$(GOLANGCI_LINT) run --fix --issues-exit-code 0 ./...
	$(GOFUMPT) -w .
	clang-format -i $(C_FILES)

# The tools are built for the host, without hull's C flags.
INSTALL_TOOL = GOBIN=$(@D) GOARCH=$(HOSTARCH) CGO_ENABLED=0 $(GO) install -trimpath

$(GOLANGCI_LINT):
	$(INSTALL_TOOL) github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(GOFUMPT):
	$(INSTALL_TOOL) mvdan.cc/gofumpt@$(GOFUMPT_VERSION)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
