# SPDX-License-Identifier: MIT
# dune-live. `make help` lists what there is.
#
#   CC=clang               another compiler; its objects stand apart in build/clang/
#   SANITIZER=address,undefined   an instrumented build, in build/address-undefined/
#   DEBUG=1                no optimisation, in build/debug/
#   WERROR=1               a warning is an error

CC       = gcc
PREFIX  ?= /usr/local
DESTDIR ?=
PKG_CONFIG ?= pkg-config

comma := ,
VARIANT := $(strip $(if $(filter gcc cc,$(notdir $(CC))),,$(notdir $(CC))) \
	$(subst $(comma),-,$(SANITIZER)) $(if $(DEBUG),debug))
empty :=
space := $(empty) $(empty)
B := build$(if $(VARIANT),/$(subst $(space),-,$(VARIANT)))

WARNINGS = -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wundef -Wformat=2 -Wno-format-nonliteral
# Hidden: no symbol of ours may take the place of a library's own (jansson has a json_string too).
HARDENING = -fPIE -fvisibility=hidden -fstack-protector-strong -fstack-clash-protection -fcf-protection
CPPFLAGS += -D_GNU_SOURCE -I.
CFLAGS   ?= $(if $(DEBUG),-O0,-O2) -g
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
ifdef SANITIZER
SANITIZE := -fsanitize=$(SANITIZER) -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifndef DEBUG
CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
ALL_CFLAGS = -std=c17 $(WARNINGS) $(if $(filter 1,$(WERROR)),-Werror) $(HARDENING) $(CFLAGS) $(SANITIZE)

DAEMONS  := ingestd analyticsd wsfand statsd
PROGRAMS := $(DAEMONS:%=$(B)/bin/%) $(B)/bin/dune-frame

ingestd_LIBS    = -lmongoc-1.0 -lbson-1.0 -lseccomp -lev -lm
analyticsd_LIBS = -lbson-1.0 -lsqlite3 -lutf8proc -lseccomp -lev -lm
wsfand_LIBS     = -lwslay -lz -lcrypto -lseccomp -lev -lm
statsd_LIBS     = -lmicrohttpd -lcrypto -lseccomp -lev -lm
lib_LIBS        = -lcrypto -lseccomp -lev -lm
bson_CFLAGS     = $(patsubst -I%,-isystem%,$(shell $(PKG_CONFIG) --cflags libbson-1.0 2>/dev/null))
mongoc_CFLAGS   = $(patsubst -I%,-isystem%,$(shell $(PKG_CONFIG) --cflags libmongoc-1.0 2>/dev/null))
ingestd_CFLAGS    = $(mongoc_CFLAGS)
analyticsd_CFLAGS = $(bson_CFLAGS)
tests/fuzz_CFLAGS = $(bson_CFLAGS)
tests/unit/ingestd_CFLAGS    = $(mongoc_CFLAGS)
tests/unit/analyticsd_CFLAGS = $(bson_CFLAGS)
tests/mongo_CFLAGS = $(bson_CFLAGS)
tests/tools_CFLAGS = $(mongoc_CFLAGS)

sources = $(sort $(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))
DAEMON_OBJECTS = $(call objects,$(call sources,$(1)))

LIB_OBJECTS := $(call objects,$(call sources,lib))
LIB := $(B)/obj/libdune.a

UNIT_AREAS    := lib $(DAEMONS)
UNIT_PROGRAMS := $(foreach area,$(UNIT_AREAS),$(if $(wildcard tests/unit/$(area)/*.c),$(B)/tests/unit-$(area)))
STANDIN       := $(if $(wildcard tests/mongo/*.c),$(B)/tests/mongo-standin)
TOOLS         := $(patsubst tests/tools/%.c,$(B)/tests/%,$(wildcard tests/tools/*.c))

# What clang and clang-tidy say of each source, asked again when its object would be made again.
ALL_SOURCES := $(sort $(wildcard $(addsuffix /*.c,lib lib/tools $(DAEMONS) tests/unit \
	$(UNIT_AREAS:%=tests/unit/%) tests/mongo tests/tools tests/fuzz tests/bench)))
CLANG := $(ALL_SOURCES:%.c=$(B)/by-clang/%)
TIDY := $(ALL_SOURCES:%.c=$(B)/tidy/%)

.PHONY: all tests test demo prove bench bench-ingest fuzz install deb uninstall clean help lint clang tidy format FORCE
.DELETE_ON_ERROR:

all: $(PROGRAMS)

# What the tests need beside the programs.
tests: all $(UNIT_PROGRAMS) $(STANDIN) $(TOOLS)

test:
	sh tests/run

demo:
	sh supervise/demo

prove: tests
	DUNE_TEST_BUILD=$(B) sh tests/prove/run

bench fuzz lint:
	@if [ -x tests/$@/run ]; then tests/$@/run; else echo "tests/$@/run is not there" >&2; exit 1; fi

bench-ingest: all $(B)/tests/ingest_make $(STANDIN)
	DUNE_TEST_BUILD=$(B) tests/bench/ingest

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

define daemon_rules
$(B)/bin/$(1): $(call DAEMON_OBJECTS,$(1)) $(LIB)
	@mkdir -p $$(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $$@ $$^ $$($(1)_LIBS)

$(B)/tests/unit-$(1): $(call objects,$(call sources,tests/unit/$(1))) $(B)/obj/tests/unit/unit.o \
    $(filter-out %/main.o,$(call DAEMON_OBJECTS,$(1))) $(LIB)
	@mkdir -p $$(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $$@ $$^ $$($(1)_LIBS)
endef
$(foreach daemon,$(DAEMONS),$(eval $(call daemon_rules,$(daemon))))

$(B)/tests/unit-lib: $(call objects,$(call sources,tests/unit/lib)) $(B)/obj/tests/unit/unit.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(lib_LIBS)

$(B)/bin/dune-frame: $(B)/obj/lib/tools/dune-frame.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(lib_LIBS)

$(B)/tests/mongo-standin: $(call objects,$(call sources,tests/mongo))
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lbson-1.0 -lev -lcrypto -lm

$(B)/tests/%: $(B)/obj/tests/tools/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lmongoc-1.0 -lbson-1.0 -lz -lev -lm

$(LIB): $(LIB_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

# The flags of a directory: <directory>_CFLAGS, with the directory's own name.
$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $($(patsubst %/,%,$(dir $<))_CFLAGS) -MMD -MP -c -o $@ $<

clang: $(CLANG)

$(B)/by-clang/%: %.c $(B)/obj/%.o
	@mkdir -p $(@D)
	@clang -fsyntax-only -Werror $(CPPFLAGS) $(ALL_CFLAGS) $($(patsubst %/,%,$(dir $<))_CFLAGS) $<
	@touch $@

tidy: $(TIDY)

$(B)/tidy/%: %.c $(B)/obj/%.o .clang-tidy tests/.clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=c17 $(CPPFLAGS) $($(patsubst %/,%,$(dir $<))_CFLAGS) 2>$@.err || { cat $@.err; false; }
	@rm -f $@.err; touch $@

# dune-wsfand@.service, which is made of dune-wsfand.service, is one of several.
UNITS = $(notdir $(wildcard supervise/systemd/*.service supervise/systemd/*.target))

# The page is part of the program (.incbin).
$(B)/obj/statsd/web_files.o: $(wildcard statsd/web/*)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/doc/dune-live/examples \
	    $(DESTDIR)$(PREFIX)/share/doc/dune-live/docs
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 docs/man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/dune-live
	install -m 644 docs/*.md docs/*.png docs/alerts.yml docs/grafana.json $(DESTDIR)$(PREFIX)/share/doc/dune-live/docs
	cp -R docs/proxies $(DESTDIR)$(PREFIX)/share/doc/dune-live/docs
	cp -R supervise/runit supervise/s6 supervise/env $(DESTDIR)$(PREFIX)/share/doc/dune-live/examples
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/dune-live/examples/systemd
	install -m 644 supervise/systemd/*.env $(DESTDIR)$(PREFIX)/share/doc/dune-live/examples/systemd
	for unit in $(UNITS); do sed 's,/usr/local/bin,$(PREFIX)/bin,' supervise/systemd/$$unit \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit; done
	sed -e 's/^Description=.*/& %i/' -e 's/^ExecStart=/Environment=DUNE_INSTANCE=%i\n&/' \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/dune-wsfand.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/dune-wsfand@.service

# A Debian package of it, into $(B).
deb: all
	@sh supervise/debian/build $(B) $(B)

uninstall:
	rm -f $(foreach unit,$(UNITS) dune-wsfand@.service,$(DESTDIR)$(PREFIX)/lib/systemd/system/$(unit))
	rm -f $(foreach program,$(notdir $(PROGRAMS)),$(DESTDIR)$(PREFIX)/bin/$(program))
	rm -f $(foreach page,$(notdir $(wildcard docs/man/*.1)),$(DESTDIR)$(PREFIX)/share/man/man1/$(page))
	rm -f $(foreach page,$(notdir $(wildcard docs/man/*.7)),$(DESTDIR)$(PREFIX)/share/man/man7/$(page))
	rm -f $(foreach page,$(notdir $(wildcard docs/man/*.8)),$(DESTDIR)$(PREFIX)/share/man/man8/$(page))
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/dune-live

clean:
	rm -rf build

help:
	@echo "make            the programs, into build/bin/"
	@echo "make test       everything: sh tests/run"
	@echo "make demo       the whole pipeline with a sample feed: sh supervise/demo"
	@echo "make prove      kills, cuts and errors for DUNE_PROVE_SECONDS; then every number is compared"
	@echo "make bench      our own figures"
	@echo "make bench-ingest  what a response costs on its way in (BENCH_FULL=1: for longer)"
	@echo "make fuzz       the fuzz targets, FUZZ_SECONDS each"
	@echo "make lint       layers, documentation, formatting"
	@echo "make install    programs, man pages, examples (PREFIX=$(PREFIX), DESTDIR)"
	@echo "make deb        a Debian package, into $(B)/"
	@echo "CC=clang, SANITIZER=address,undefined, DEBUG=1: variants, each in a directory of its own"
	@echo "WERROR=1: a warning is an error"

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
