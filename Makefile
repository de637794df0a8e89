# The verbs. `make` alone says what this is and which command to type next.
#
# Nothing is listed here by name: labs, library, unit tests and scripts are
# found by their folders. Products go to build/.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := welcome
# These are for who types a command, and no script.
unexport CDPATH BASH_ENV ENV SHELLOPTS BASHOPTS TAR_OPTIONS GZIP

VERSION  := 0.1
# Not from the environment, where they are meant for another project: make CC=clang, make CFLAGS=-O0.
ifneq ($(origin CC),command line)
CC       := gcc
endif
ifneq ($(origin CFLAGS),command line)
CFLAGS   := -O2 -g
endif
WARNINGS := -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wmissing-prototypes -Wformat=2 -Werror
AR       := $(if $(filter %gcc,$(CC)),$(CC)-ar,ar)
# Another compiler has products of its own, so that nothing stale of the first is taken.
B        := build$(addprefix /,$(filter-out gcc cc,$(CC)))
# ARCH=i386: for another architecture of Debian's, with its packages, of which nothing is installed here. With SHARED=1
# labs are linked to shared libraries: together they are a tenth of the size, for the course's page.
# SSE, for x87's numbers have another precision in a register than in memory.
ifneq ($(ARCH),)
CROSS_i386 := i686-linux-gnu-gcc -msse2 -mfpmath=sse -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
CROSS_arm64 := aarch64-linux-gnu-gcc
ifeq ($(CROSS_$(ARCH)),)
$(error ARCH=$(ARCH): expected $(patsubst CROSS_%,%,$(filter CROSS_%,$(.VARIABLES))))
endif
CC         := $(firstword $(CROSS_$(ARCH)))
B          := build/$(ARCH)$(if $(SHARED),-shared)
SYSROOT    := build/$(ARCH)/sysroot
TARGET     := --sysroot=$(CURDIR)/$(SYSROOT) $(wordlist 2,9,$(CROSS_$(ARCH)))
PKG_CONFIG := $(SYSROOT)/pkg-config
export ARCH SHARED
endif
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-4s %s\n' $(1) '$(2)')

# ---- What there is ----------------------------------------------------------

NAMES   := $(patsubst labs/%/main.c,%,$(wildcard labs/[0-9]*/main.c))
# main.c, more.c and more-WORD.c are a program each, X.gen.c prints the header X.h at build time, and
# further .c files are linked to the programs of their lab, and of labs that include its headers.
ALONE   := $(wildcard labs/[0-9]*/main.c labs/[0-9]*/more.c labs/[0-9]*/more-*.c)
MADE    := $(patsubst labs/%.gen.c,$(B)/made/%.h,$(wildcard labs/[0-9]*/*.gen.c))
# A source is a source: else make takes labs/NN-name/more-WORD.c for the goal more-NN below.
$(ALONE): ;
FURTHER := $(filter-out $(ALONE) %.gen.c %/solution.c %/exercise.c,$(wildcard labs/[0-9]*/*.c))
# program SOURCE LAB NAME: all that lies in the folder of its lab, and of labs whose headers that includes, is
# newer or older than it.
# The make that builds is told it by the one that calls it, and that it is the owner's.
ifneq ($(origin USES),command line)
used     = $(word 2,$(1)):$(word 4,$(1))
USES    := $(foreach use,$(shell grep -so '"\.\./[0-9][^/"]*/' $(wildcard labs/*/*.[ch])),$(call used,$(subst /, ,$(subst :"../,/,$(use)))))
endif
folders  = $(sort $(1) $(patsubst $(1):%,%,$(filter $(1):%,$(USES))))
define program
PROGRAMS += $(B)/labs/$(3)
SOURCES_$(3) := $(1) $(filter $(patsubst %,labs/%/%,$(call folders,$(2))),$(FURTHER))
$(B)/labs/$(3): $$(SOURCES_$(3)) \
		$(wildcard $(patsubst %,labs/%/*.h,$(call folders,$(2))) labs/$(2)/*.yaml) \
		$(filter $(patsubst %,$(B)/made/%/%,$(call folders,$(2))),$(MADE)) \
		$(B)/common/lib.a $(B)/common/libc.o scripts/make/libraries $(SYSROOT)
	$$(BUILD_LAB)
endef
$(foreach source,$(ALONE),$(foreach lab,$(patsubst labs/%/,%,$(dir $(source))),\
	$(eval $(call program,$(source),$(lab),$(lab)$(patsubst %,-%,$(filter-out main,$(basename $(notdir $(source)))))))))

HELPERS := $(wildcard scripts/*/*.c)
HELPERS := $(filter-out scripts/labvm/%,$(HELPERS))
LIBRARY := $(patsubst common/%.c,%,$(wildcard common/*/*.c))
UNITS   := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

include $(wildcard */rules.mk scripts/*/rules.mk)

# ---- Words that are no lab: one clear line, before anything is done ------------

# Of lab 18 there is no exercise.
of    = $(if $(filter exercise hint solution reset,$(1)),$(foreach name,$(NAMES),$(if $(wildcard \
	labs/$(name)/exercise.sh),$(name))),$(NAMES))
named = $(if $(findstring %,$(1)),,$(filter $(1) $(1)-% 0$(1)-% %-$(1),$(2)))
# further NN-WORD: NN/more-WORD, where the lab NN has that further lesson
number = $(firstword $(subst -, ,$(1)))
further = $(if $(wildcard labs/$(call number,$(1))-*/more-$(1:$(call number,$(1))-%=%).c),$(call \
	number,$(1))/more-$(1:$(call number,$(1))-%=%))
# chapter WORD: a chapter that is no lab is named by its first word, such as Teaching.
chapters = $(shell sed -nE 's/^\x23\x23 ([A-Za-z]\w*)\W.*/\1/p' GUIDE.md | uniq)
chapter  = $(filter $(1),$(chapters) $(shell sed -nE 's/^\x23\x23 ([A-Za-z]\w*)\W.*/\L\1/p' GUIDE.md))
VERBS := lab more shell demo guide exercise hint solution reset
$(foreach goal,$(MAKECMDGOALS),$(foreach verb,$(VERBS),$(if $(filter $(verb)- $(verb)-%,$(goal)),\
	$(if $(and $(goal:$(verb)-=),$(or $(call named,$(goal:$(verb)-%=%),$(call of,$(verb))),$(if $(filter more,$(verb)),$(call further,$(goal:$(verb)-%=%))),\
	$(if $(filter guide,$(verb)),$(if $(findstring %,$(goal)),,$(call chapter,$(goal:guide-%=%)))))),,\
	$(error there is no $(goal); expected $(verb)-NN with NN or name one of: $(call of,$(verb))$(if $(filter guide,$(verb)), $(chapters)))))))

# ---- For students ----------------------------------------------------------------

.PHONY: welcome help setup setup-dev setup-site doctor doctor-all look vm guide labs progress practice grade handin
welcome:
	@scripts/welcome
help:
	@scripts/welcome help
setup:
	@scripts/setup
setup-dev:
	@scripts/setup --dev
doctor: all
	@scripts/doctor
doctor-all: all
	@scripts/doctor --all
# Nothing went wrong where somebody quits a story or a lecture, where a solution does not hold yet, and whatever the
# last command of a shell ended with; 125 is the lab VM's own failure.
but   = || { status=$$?; [ $$status $(1) ] || exit $$status; }
look:
	@scripts/vm --attach $(call but,!= 125)
vm: all
	@scripts/vm $(call but,!= 125)
guide:
	@scripts/guide
guide-%:
	@scripts/guide $*

flags = $(if $(filter-out 0 no,$(STEP)),--step) $(if $(filter-out 0 no,$(PREDICT)),--predict) $(if $(PLAIN),--plain) \
	$(if $(FORMAT),--format=$(FORMAT)) $(ARGS)
export WHERE
# A path in ARGS is meant in the folder in which make was typed, also after make -C.
export CALLER := $(value PWD)
run_lab = if [ "$$CALLER" != "$(CURDIR)" ] && grep -qz '^-[a-z]*C\|^--directory' /proc/$$PPID/cmdline; then cd "$$CALLER"; fi; "$(CURDIR)/scripts/lab"
lab-%: all
	@$(run_lab) $* $(flags) $(call but,= 130)
more-%: all
	@$(run_lab) $(or $(call further,$*),$*/more) $(flags) $(call but,= 130)
shell-%: all
	@$(run_lab) --shell $*
exercise-%: all
	@scripts/exercise check $* $(call but,= 1)
hint-%: all
	@scripts/exercise hint $* $(call but,= 1)
solution-%: all
	@scripts/exercise solution $* $(call but,= 1)
reset-%:
	@scripts/exercise reset $*
progress:
	@scripts/exercise progress
practice: all
	@scripts/exercise practice $(call but,= 130)
grade: all
	@scripts/grade
handin:
	@scripts/handin $(call but,= 1)

# ---- For instructors -------------------------------------------------------------

.PHONY: demo
labs: all
	@scripts/labs
demo: all
	@scripts/labs --step $(if $(PLAN),--plan $(PLAN),$(LABS)) $(call but,= 130)
demo-%: all
	@scripts/labs --step $* $(call but,= 130)

# ---- For developers --------------------------------------------------------------

.PHONY: all system made units test unit transcripts compare bench kernels mutants attack signals faults scarce together coverage fuzz lint format clean clean-vm
# Building is a make of its own. So set-up, when it is asked for too, comes before all of it, also
# under -j; and `sudo make lab-01` leaves no file of root's in the student's tree.
ifneq ($(origin owner),command line)
user  := $(shell id -u)
owner := $(if $(filter 0,$(user)),$(shell stat -c %u .))
endif
# As many compilers at a time as there are processors, unless make has been told.
every_cpu = $(if $(filter -j%,$(MAKEFLAGS)),,-j$$(nproc))
as_owner := $(if $(filter-out 0,$(owner)),setpriv --reuid=$(owner) --regid=$(shell stat -c %g .) --clear-groups)
# system: what the lab VM boots from, and no program that runs in it.
all system: $(SYSROOT) | $(filter setup setup-dev setup-site setup-class,$(MAKECMDGOALS))
	@$(as_owner) scripts/make/sums forget $(B)
	@$(as_owner) $(MAKE) $(every_cpu) products-of-$@ USES='$(USES)' owner=; status=$$?; $(as_owner) scripts/make/sums note $(B); exit $$status
.PHONY: products-of-all products-of-system
products-of-system: $(ROOTFS_PRODUCTS) $(LABVM_PRODUCTS)
	@:
products-of-all: products-of-system $(PROGRAMS) $(addprefix $(B)/bin/,$(basename $(notdir $(HELPERS))))
	@:
made: $(MADE)
	@:
# sources-NN-name: those that the program is made of, for scripts.
sources-%:
	@echo $(SOURCES_$*)
units: | all
	@$(as_owner) $(MAKE) $(every_cpu) $(UNITS:%=$(B)/unit/%)

test: all units
	@scripts/check/test
unit: units
	@scripts/check/test --unit
transcripts: all
	@scripts/check/transcripts --write
compare: all
	@scripts/measure/compare
bench: all
	@scripts/measure/bench
kernels: all
	@scripts/check/kernels $(LABS)
mutants attack signals faults scarce together: all
	@scripts/check/campaign $@
coverage:
	@scripts/check/coverage
fuzz: made
	@scripts/check/fuzz
lint: | $(filter setup setup-dev,$(MAKECMDGOALS))
	@scripts/check/lint
format:
	$(Q)clang-format -i $(wildcard $(foreach at,common/* labs/* rootfs scripts/* scripts/labvm/* tests/unit,$(at)/*.[ch]))
clean:
	$(Q)rm -rf $(B)
clean-vm:
	@scripts/vm --clean

# ---- How it is built -------------------------------------------------------------

COMPILE = $(CC) $(TARGET) -std=gnu11 $(CFLAGS) $(WARNINGS) -Icommon -I$(B)/made -DVERSION='"$(VERSION)"' -MMD -MP

ifneq ($(ARCH),)
$(SYSROOT): scripts/make/packages/$(ARCH) scripts/make/sysroot | $(filter setup-site,$(MAKECMDGOALS))
	@command -v $(CC) >/dev/null || { echo 'ARCH=$(ARCH): $(CC) is missing: type make setup-site' >&2; exit 1; }
	@$(as_owner) scripts/make/sysroot $(ARCH)
endif

# Static where the C library has its archive, so that the same file runs in the VM; on x86-64 by gold where it is, which
# takes half the time. (On arm64 gold 2.40 ends with an internal error.) It writes the file at once: then it lies in the
# page cache in large pieces, and to execute it costs a tenth less. GCC's plugin is for link-time optimization only.
GOLD = -static -fuse-ld=gold -Wl$(,)--no-mmap-output-file
$(B)/static:
	@mkdir -p $(B)
ifneq ($(SHARED),)
	@: >$@
else
	@echo 'int main(void) { return 0; }' >$(B)/try.c
	@: >$@
	@for flags in $(if $(filter x86_64,$(machine)),'$(GOLD) -fno-use-linker-plugin' '$(GOLD)') -static; do \
		if $(CC) -Werror $(TARGET) $$flags $(B)/try.c -o $(B)/try 2>/dev/null; then echo "$$flags" >$@ && break; fi; done
	@rm -f $(B)/try $(B)/try.c
endif
STATICALLY = $(file <$(B)/static)
# Static, a program takes what each of them needs of the C library from one object. Only the other parts are searched for
# in the archive, and that is half of a link's time.
LINK = $(if $(STATICALLY),$(STATICALLY) $(B)/common/libc.o)
$(B)/common/libc.o: scripts/make/libc scripts/make/libc-first $(B)/static | $(B)/common/lib.a
	$(call say,LD,$@)
	$(Q)CC='$(CC) $(TARGET)' scripts/make/libc $@ $(B)/common/lib.a scripts/make/libc-first $(STATICALLY) || \
		{ echo '  LEFT $@: the reason stands above; each program searches the archive' && $(CC) $(TARGET) -x c -c /dev/null -o $@; }

$(B)/common/%.o: common/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -c $< -o $@
$(B)/common/lib.a: $(LIBRARY:%=$(B)/common/%.o)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# A lab that is linked to a library says so in its own source: scripts/make/libraries. Where this compiler
# has none, the lab is left out, by name; where it has no archive of it, the lab is dynamic. What the
# linker says of a static library that calls getaddrinfo(3), which we do not, is not shown. What a lab does is in the
# kernel, and it is compiled anew at each line that somebody changes: -O1 takes a fifth less time.
PKG_CONFIG ?= $(if $(filter %-gcc,$(CC)),$(CC:%gcc=%pkg-config),pkg-config)
libraries   = PKG_CONFIG='$(PKG_CONFIG)' scripts/make/libraries
BUILD_LAB   = @[ -d $(@D) ] || mkdir -p $(@D); $(if $(findstring /* link: ,$(foreach source,$(filter %.c,$^),$(file <$(source)))),$(LINKED),$(PLAIN))
LAB         = $(subst -O2,-O1,$(filter-out -MMD -MP,$(COMPILE))) $(1) $(filter %.c %.a,$^) -o $@
PLAIN       = $(if $(V),set -x,echo '  LAB  $@'); $(LAB) $(LINK) -lm
LINKED      = if ! libs=$$($(libraries) --libs $(filter %.c,$^) 2>$@.log); then \
		echo "  LEFT $@: $(CC) has no $$(cat $@.log) (make setup)"; rm -f $@ $@.log; exit 0; \
	fi; \
	$(if $(V),set -x,echo '  LAB  $@'); \
	build() { $(call LAB,$$($(libraries) --cflags $(filter %.c,$^))) "$$@" $$libs -lm 2>$@.log; }; \
	build $(LINK) || build || { cat $@.log >&2; exit 1; }; \
	rm -f $@.log

# It runs here, and prints for the machine that CC compiles for.
HOSTCC  := $(if $(filter %-gcc,$(CC)),gcc,$(CC))
machine = $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
$(B)/made/%.h: labs/%.gen.c scripts/make/libraries
	$(call say,MADE,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 $(CFLAGS) $(WARNINGS) $$(scripts/make/libraries --cflags $<) $< -o $(@:.h=) \
		$$(scripts/make/libraries --libs $< | sed 's/-static//')
	$(Q)$(@:.h=) $(machine) >$@
define HELPER
$(B)/bin/$(basename $(notdir $(1))): $(1) $(B)/common/lib.a $(B)/common/libc.o | $(MADE)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(COMPILE) -I. -MF $$@.d $$< $(B)/common/lib.a -o $$@ $$(LINK)
endef
$(foreach source,$(HELPERS),$(eval $(call HELPER,$(source))))

# The unit tests get a library of their own, with the sanitizers in it.
# Without fortify, which calls by other names: the sanitizers look for more, and tests stand in for some.
, := ,
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE
# Another architecture's find their libraries beside them, also where they are carried to.
SANITIZE += $(if $(ARCH),-static-libasan -static-libubsan '-Wl$(,)-rpath$(,)$$ORIGIN/../sysroot/usr/lib/$(notdir $(wildcard $(SYSROOT)/usr/lib/*-linux-gnu*))')
$(B)/unit/common/%.o: common/%.c
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(SANITIZE) -c $< -o $@
# One of a lab's headers is linked as the lab is. Version 2 of cmocka has new names for what version 1 has, and warns.
$(B)/unit/%: tests/unit/%.c $(LIBRARY:%=$(B)/unit/common/%.o) | $(MADE)
	$(call say,UNIT,$@)
	$(Q)$(COMPILE) $(SANITIZE) -Wno-deprecated-declarations $$($(libraries) --cflags $<) -MF $@.d $< $(LIBRARY:%=$(B)/unit/common/%.o) \
		-o $@ -lcmocka $$($(libraries) --libs $< | sed 's/-static//') -lm

# They are for who builds, and that is another make.
ifneq ($(filter-out $(VERBS:%=%-%) all,$(or $(MAKECMDGOALS),welcome)),)
-include $(wildcard $(B)/common/*.d $(B)/common/*/*.d $(B)/bin/*.d $(B)/unit/*.d $(B)/unit/common/*/*.d)
endif
