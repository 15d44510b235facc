# usher: GNU make, non-recursive. Sources are found by wildcard, so a new file edits nothing here.
# Run ./configure first; `make help` lists the targets, HACKING.md explains them.
#
#   S  source root            C  folder of ./configure's output (config.mak, config.h)
#   B  folder of the objects and programs; C itself, or C/san-LIST with SAN=LIST (e.g. address,undefined)

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
export LC_ALL := C

# Outside the source tree configure leaves a link to this file.
S := $(patsubst %/,%,$(dir $(or $(shell readlink Makefile),Makefile)))
S := $(or $(filter-out ./,$(S)),.)
C := $(if $(filter .,$(S)),build,.)

all:

NO_CONFIG_GOALS := help clean distclean dist format format-check lint
ifneq ($(wildcard $(C)/config.mak),)
include $(C)/config.mak
$(C)/config.mak: $(S)/configure
	@echo "configure is newer than its output: running it again"
	cd $(C) && sh ./config.status
else ifneq ($(filter-out $(NO_CONFIG_GOALS),$(or $(MAKECMDGOALS),all)),)
$(error Not configured: run $(S)/configure first)
endif

VERSION ?= $(shell sed -n 's/^VERSION=//p' $(S)/configure)
PYTHON ?= python3
SAN ?=
comma := ,
B := $(C)$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
COVERAGE ?=
B := $(B)$(if $(COVERAGE),/coverage)
O := $(B)/obj

# --- what is quiet and what is not ---------------------------------------------------------------
V ?= 0
Q := $(if $(filter 0,$(V)),@)
# make -s says nothing at all
say = $(if $(filter 0,$(V)),@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf) '  %-8s %s\n' '$(1)' '$(patsubst $(B)/%,%,$@)')

# --- flags: ours first, the user's last, so that his win -----------------------------------------
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
COV_FLAGS := $(if $(COVERAGE),--coverage -O0 -U_FORTIFY_SOURCE -fprofile-abs-path)
ALL_CPPFLAGS = -include $(C)/config.h -I$(B)/gen -I$(S)/src $(CPPFLAGS_AUTO) $(DEPS_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 $(CFLAGS_AUTO) $(CFLAGS) $(SAN_FLAGS) $(COV_FLAGS)
ALL_LDFLAGS = $(LDFLAGS_AUTO) $(LDFLAGS) $(SAN_FLAGS) $(COV_FLAGS)
ALL_LIBS = $(DEPS_LIBS) $(LIBS)
TEST_CPPFLAGS = -I$(S)/tests -I$(S)/tests/unit -DTEST_SRCDIR='"$(abspath $(S))"' -DTEST_BUILDDIR='"$(abspath $(B))"'
TEST_CFLAGS = -Wno-unused-parameter $(CMOCKA_CFLAGS)
# Every allocation of ours can be made to fail by the nth-failure loop of tests/unit/harness.c.
WRAPPED := malloc calloc realloc reallocarray strdup strndup asprintf vasprintf __asprintf_chk \
	__vasprintf_chk realpath open_memstream fopen fdopen fdopendir opendir getline getdelim
# A test that fakes system calls of its own names them in tests/unit/test_NAME.wrap.
WRAP_FLAGS := $(foreach f,$(WRAPPED),-Wl,--wrap=$(f))

# --- sources -------------------------------------------------------------------------------------
src = $(sort $(wildcard $(addprefix $(S)/,$(1))))
obj = $(patsubst $(S)/%.c,$(O)/%.o,$(1))

LIB_SRC := $(call src,$(foreach d,base conf net spawn core,src/$(d)/*.c src/$(d)/*/*.c))
DAEMON_SRC := $(call src,src/bus/*.c src/daemon/*.c)
CTL_SRC := $(call src,src/ctl/*.c)
PROXY_SRC := $(call src,src/proxy/*.c)
GEN_SRC := $(call src,src/gen/*.c)
DEF_FILES := $(call src,src/conf/*.def src/conf/*/*.def)
HARNESS_SRC := $(call src,tests/unit/harness.c tests/fake/*.c)
UNIT_SRC := $(call src,tests/unit/test_*.c)
FUZZ_SRC := $(call src,tests/fuzz/fuzz_*.c)
FUZZ_DRIVER := $(call src,tests/fuzz/replay.c)
BENCH_SRC := $(call src,tests/bench/bare.c tests/bench/load.c)
HELPER_SRC := $(call src,tests/system/helpers/*.c)
EXAMPLE_SRC := $(call src,examples/*/*.c)
SYSTEM_TESTS := $(call src,tests/system/*.t.sh tests/system/*.t.py)
SCRIPTS = $(call src,configure contrib/demo contrib/check contrib/install-deps .ci/run tests/run \
	tests/*/*.sh tests/system/*.t.sh)

LIB := $(B)/libusher.a
USHERD := $(if $(filter %/main.c,$(DAEMON_SRC)),$(B)/usherd)
USHERCTL := $(if $(filter %/main.c,$(CTL_SRC)),$(B)/usherctl)
PROXYD := $(if $(PROXY_SRC),$(B)/usher-proxyd)
GEN := $(if $(filter %/main.c,$(GEN_SRC)),$(B)/usher-gen)
UNIT_BIN := $(if $(HAVE_CMOCKA),$(patsubst $(S)/tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC)))
FUZZ_BIN := $(patsubst $(S)/tests/fuzz/%.c,$(B)/tests/fuzz/%,$(FUZZ_SRC))
BENCH_BIN := $(patsubst $(S)/tests/bench/%.c,$(B)/tests/bench/%,$(BENCH_SRC))
PAYLOAD_BIN := $(addprefix $(B)/tests/bench/,payload payload-listener payload-forever payload-stay)
HELPER_BIN := $(patsubst $(S)/tests/system/helpers/%.c,$(B)/tests/helpers/%,$(HELPER_SRC))
EXAMPLE_BIN := $(patsubst $(S)/%.c,$(B)/%,$(EXAMPLE_SRC))
EXAMPLE_COPY := $(patsubst $(S)/%,$(B)/%,$(filter-out %.c %.o $(EXAMPLE_SRC:.c=),$(call src,examples/*/*)))
PROGRAMS := $(USHERD) $(USHERCTL) $(PROXYD)
MAN := $(patsubst $(S)/src/man/%.in,$(B)/man/%,$(call src,src/man/*.in))
COMPLETION := $(foreach p,usherd usherctl,$(addprefix $(B)/completion/$(p).,bash zsh fish))
DICT := $(B)/usher.dict
UNITS := $(patsubst $(S)/units/%.in,$(B)/units/%,$(call src,units/*.in))

all: $(LIB) $(PROGRAMS) $(EXAMPLE_BIN) $(EXAMPLE_COPY) $(GEN) $(MAN) $(COMPLETION) $(DICT) $(UNITS)

# --- compiling and linking -----------------------------------------------------------------------
$(O)/tests/%.o: $(S)/tests/%.c $(C)/config.h
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(TEST_CPPFLAGS) -MMD -MP $(ALL_CFLAGS) $(TEST_CFLAGS) -c -o $@ $<

$(O)/%.o: $(S)/%.c $(C)/config.h
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) -MMD -MP $(ALL_CFLAGS) -c -o $@ $<

# A number changes the value of a size or of a limit: these files take no silent conversion.
$(call obj,$(call src,src/base/parse.c)): CFLAGS_AUTO += $(WCONVERSION)

$(LIB): $(call obj,$(LIB_SRC))
	$(call say,AR)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcsD $@ $^

link = $(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(1) $(ALL_LIBS)

$(B)/usherd: $(call obj,$(DAEMON_SRC)) $(LIB)
	$(call say,LD)
	$(call link,$^)

$(B)/usherctl: $(call obj,$(CTL_SRC)) $(LIB)
	$(call say,LD)
	$(call link,$^)

$(B)/usher-proxyd: $(call obj,$(PROXY_SRC)) $(LIB)
	$(call say,LD)
	$(call link,$^)

$(EXAMPLE_BIN): $(B)/examples/%: $(O)/examples/%.o
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(ALL_LIBS)

# build/examples is complete, so that its units can be served as they are.
$(EXAMPLE_COPY): $(B)/examples/%: $(S)/examples/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

# The generator runs here, also when usher is built for another machine.
ifeq ($(CC_FOR_BUILD),$(CC))
$(B)/usher-gen: $(call obj,$(GEN_SRC)) $(LIB)
	$(call say,LD)
	$(call link,$^)
else
GEN_ALL_SRC := $(GEN_SRC) $(filter $(S)/src/base/% $(S)/src/conf/%,$(LIB_SRC))
GEN_OBJ := $(patsubst $(S)/%.c,$(B)/obj-build/%.o,$(GEN_ALL_SRC))
$(B)/obj-build/%.o: $(S)/%.c $(C)/config.h
	$(call say,CCBUILD)
	@mkdir -p $(@D)
	$(Q)$(CC_FOR_BUILD) -include $(C)/config.h -I$(B)/gen -I$(S)/src -MMD -MP -std=gnu11 -O1 -c -o $@ $<
$(B)/usher-gen: $(GEN_OBJ)
	$(call say,LDBUILD)
	$(Q)$(CC_FOR_BUILD) -o $@ $^ $(BUILD_LIBS)
endif

# What the generator makes from the tables.
generate = $(Q)mkdir -p $(@D) && $(GEN) $(1) >$@.new && mv $@.new $@
$(B)/man/%: $(S)/src/man/%.in $(GEN)
	$(call say,GEN)
	$(call generate,page $<)
$(B)/completion/%.bash: $(GEN)
	$(call say,GEN)
	$(call generate,bash $*)
$(B)/completion/%.zsh: $(GEN)
	$(call say,GEN)
	$(call generate,zsh $*)
$(B)/completion/%.fish: $(GEN)
	$(call say,GEN)
	$(call generate,fish $*)
$(DICT): $(GEN)
	$(call say,GEN)
	$(call generate,dictionary)

# Units that name an installed program.
$(B)/units/%: $(S)/units/%.in $(C)/config.mak
	$(call say,GEN)
	$(Q)mkdir -p $(@D) && sed 's|@sbindir@|$(sbindir)|g; s|@bindir@|$(bindir)|g' $< >$@

# A test or harness whose name begins with a program's folder (fuzz_bus_call) gets that folder's objects.
of_folder = $(filter $(B)/tests/unit/test_$(1)_% $(B)/tests/fuzz/fuzz_$(1)_%,$(UNIT_BIN) $(FUZZ_BIN))
$(call of_folder,bus): $(call obj,$(call src,src/bus/*.c))
$(call of_folder,daemon): $(call obj,$(filter-out %/main.c,$(DAEMON_SRC)))
$(call of_folder,ctl): $(call obj,$(filter-out %/main.c,$(CTL_SRC)))

$(UNIT_BIN): $(B)/tests/unit/%: $(O)/tests/unit/%.o $(call obj,$(HARNESS_SRC)) $(LIB)
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(WRAP_FLAGS) \
		$(addprefix -Wl$(comma)--wrap=,$(shell cat $(wildcard $(S)/tests/unit/$*.wrap) </dev/null)) -o $@ \
		$(filter-out $(LIB),$^) $(LIB) $(CMOCKA_LIBS) $(ALL_LIBS)

$(FUZZ_BIN): $(B)/tests/fuzz/%: $(O)/tests/fuzz/%.o $(call obj,$(FUZZ_DRIVER)) $(LIB)
	$(call say,LD)
	@mkdir -p $(@D)
	$(call link,$(filter-out $(LIB),$^) $(LIB))

$(BENCH_BIN): $(B)/tests/bench/%: $(O)/tests/bench/%.o $(LIB)
	$(call say,LD)
	@mkdir -p $(@D)
	$(call link,$^)

# A program of some hundred bytes: neither a C library nor a loader.
PAYLOAD_FLAGS = -Os -ffreestanding -fno-stack-protector -fno-pic -fno-asynchronous-unwind-tables -static -nostdlib \
	-no-pie -s -Wl,-n,-z,noseparate-code,-z,norelro,--build-id=none
$(PAYLOAD_BIN): $(B)/tests/bench/%: $(S)/tests/bench/payload.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(PAYLOAD_FLAGS) $(patsubst payload-%,-DPAYLOAD_%,$(filter payload-%,$*)) -o $@ $<

$(HELPER_BIN): $(B)/tests/helpers/%: $(O)/tests/system/helpers/%.o $(LIB)
	$(call say,LD)
	@mkdir -p $(@D)
	$(call link,$^)

# --- tests: each goes through tests/run, which limits time, keeps logs and counts ----------------
RUN = BUILD=$(abspath $(B)) SRC=$(abspath $(S)) $(S)/tests/run --log-dir $(B)/test-logs $(RUNFLAGS)
T ?= 60

tests-build: all $(UNIT_BIN) $(HELPER_BIN) $(FUZZ_BIN)
check: tests-build
	@$(if $(HAVE_CMOCKA),:,echo "SKIPPED: all unit tests: configure found no cmocka")
	$(RUN) $(UNIT_BIN) $(SYSTEM_TESTS) $(FUZZ_BIN:%=fuzz:%)
check-unit: need-cmocka $(UNIT_BIN) $(HELPER_BIN)
	$(RUN) $(UNIT_BIN)
check-system: all $(HELPER_BIN)
	$(RUN) $(SYSTEM_TESTS)
check-valgrind: need-cmocka need-valgrind $(UNIT_BIN) $(HELPER_BIN)
	$(RUN) --valgrind $(UNIT_BIN)
VALGRIND_DAEMON = valgrind -q --leak-check=full --errors-for-leak-kinds=definite,indirect \
	--show-leak-kinds=definite,indirect --error-exitcode=99
# usherd itself under valgrind, with real clients: an error or a leak makes it end with 99.
check-valgrind-system: need-valgrind all $(HELPER_BIN)
	USHERD_WRAPPER='$(VALGRIND_DAEMON)' USHER_SPAWN_METHOD=fork $(RUN) --time-limit 1200 $(SYSTEM_TESTS)
check-reloads: all
	RELOADS=10000 $(RUN) --time-limit 600 $(filter %/reloads.t.py,$(SYSTEM_TESTS))
check-oom: need-cmocka $(UNIT_BIN)
	$(RUN) --filter '*oom*' $(UNIT_BIN)
need-cmocka:
	@$(if $(HAVE_CMOCKA),:,echo "configure found no cmocka: apt install libcmocka-dev, ./configure" >&2; false)
need-valgrind:
	@command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; false; }
check-fuzz: $(FUZZ_BIN)
	$(RUN) $(FUZZ_BIN:%=fuzz:%)

# make fuzz T=600: every harness under libFuzzer for T seconds; needs clang.
fuzz: $(DICT)
	$(S)/tests/fuzz/run $(abspath $(S)) $(abspath $(B)) $(T)

bench bench-quick: all $(BENCH_BIN) $(PAYLOAD_BIN)
	BUILD=$(abspath $(B)) $(S)/tests/bench/run $(if $(filter bench-quick,$@),--quick) --json $(B)/bench.json \
		--svg $(B)/bench.svg

compat: all
	BUILD=$(abspath $(B)) $(S)/tests/compat/run
compat-packages: all
	BUILD=$(abspath $(B)) $(S)/tests/compat/packages
compat-scripts: all
	BUILD=$(abspath $(B)) $(S)/tests/compat/scripts/run

demo: all
	$(S)/contrib/demo --run $(abspath $(B))

coverage:
	-$(MAKE) COVERAGE=1 check
	sh $(S)/tests/lint/coverage.sh $(abspath $(S)) $(abspath $(B))/coverage

# --- the text itself -----------------------------------------------------------------------------
FORMATTED = $(call src,src/*/*.[ch] src/*/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch] examples/*/*.[ch])
CLANG_FORMAT ?= clang-format

format:
	$(Q)$(if $(FORMATTED),$(CLANG_FORMAT) -i $(FORMATTED))
format-check:
	$(Q)$(if $(FORMATTED),$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED))
lint:
	sh $(S)/tests/lint/run.sh
table: $(GEN)
	$(Q)$(GEN) table

# --- installing ----------------------------------------------------------------------------------
INSTALL ?= install
D = $(DESTDIR)
define newline


endef

# What goes where: FOLDER/NAME=SOURCE, data only.
DATA := $(foreach m,$(MAN),$(mandir)/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m))=$(m)) \
	$(foreach p,usherd usherctl,$(bashcompletiondir)/$(p)=$(B)/completion/$(p).bash \
		$(zshcompletiondir)/_$(p)=$(B)/completion/$(p).zsh \
		$(fishcompletiondir)/$(p).fish=$(B)/completion/$(p).fish) \
	$(foreach u,$(UNITS),$(systemdsystemunitdir)/$(notdir $(u))=$(u)) \
	$(foreach d,README.md NEWS.md LICENSE,$(docdir)/$(d)=$(S)/$(d))
target_of = '$(D)$(firstword $(subst =, ,$(1)))'

install: all
	$(INSTALL) -d -m 755 '$(D)$(sbindir)' '$(D)$(bindir)' '$(D)$(unitdir)'
	$(INSTALL) -m 755 $(USHERD) '$(D)$(sbindir)/usherd'
	$(if $(USHERCTL),$(INSTALL) -m 755 $(USHERCTL) '$(D)$(bindir)/usherctl')
	$(foreach d,$(DATA),$(INSTALL) -D -m 644 $(lastword $(subst =, ,$(d))) $(call target_of,$(d))$(newline))

uninstall:
	rm -f '$(D)$(sbindir)/usherd' '$(D)$(bindir)/usherctl' $(foreach d,$(DATA),$(call target_of,$(d)))

# What was installed is there, and works; run by distcheck.
installcheck:
	'$(D)$(sbindir)/usherd' --version
	$(if $(USHERCTL),'$(D)$(bindir)/usherctl' --version)
	for file in $(foreach d,$(DATA),$(call target_of,$(d))); do \
		test -s "$$file" || { echo "not installed: $$file" >&2; exit 1; }; \
	done
	bash -n $(call target_of,$(bashcompletiondir)/usherd)

# --- releases and cleaning -----------------------------------------------------------------------
DIST := usher-$(VERSION)

dist:
	mkdir -p $(C)
	git -C $(S) archive --format=tar --prefix=$(DIST)/ HEAD | gzip -9n >$(C)/$(DIST).tar.gz
	@echo $(C)/$(DIST).tar.gz
distcheck: dist
	sh $(S)/tests/lint/distcheck.sh $(C)/$(DIST).tar.gz $(DIST)

clean:
	rm -rf $(O) $(B)/obj-build $(B)/gen $(B)/tests $(B)/examples $(B)/man $(B)/completion $(B)/units $(B)/test-logs $(B)/systemd-tests $(B)/fuzz $(LIB) $(DICT) \
		$(addprefix $(B)/,compat.log usherd usherctl usher-proxyd usher-gen) $(if $(SAN)$(COVERAGE),,$(C)/san-* $(C)/coverage)
distclean: clean
	rm -rf $(if $(filter .,$(S)),build,config.mak config.h config.log config.status Makefile)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

#: make [TARGET] [V=1] [SAN=address,undefined]
#:   all            programs, examples, manual pages (default)
#:   check          unit, system and fuzz-corpus tests; also check-unit, check-system, check-fuzz
#:   check-valgrind unit tests under valgrind
#:   check-valgrind-system  system tests with usherd under valgrind
#:   check-reloads  10,000 reloads with sockets that change, under load
#:   check-oom      the tests that make every allocation fail in turn
#:   compat         recorded verdicts of systemd beside ours
#:   compat-packages  do the socket units of Debian's packages load
#:   compat-scripts  systemd's own integration scripts under usherd
#:   lint           layers, sizes, words, headers, scripts, cppcheck; format, format-check
#:   fuzz T=60      libFuzzer, T seconds for each harness (clang)
#:   bench          measurements; bench-quick for a short run
#:   coverage       line coverage of the tests
#:   demo           start usherd on examples/, connect, show, stop
#:   table          the directive table, readable
#:   install        with DESTDIR=, prefix=...; also uninstall, installcheck
#:   dist distcheck clean distclean

.PHONY: need-cmocka need-valgrind all tests-build check check-unit check-system check-valgrind check-valgrind-system check-reloads check-oom check-fuzz fuzz bench \
	bench-quick compat compat-packages compat-scripts demo coverage format format-check lint table install uninstall installcheck \
	dist distcheck clean distclean help

-include $(shell find $(O) $(B)/obj-build -name '*.d' 2>/dev/null)
