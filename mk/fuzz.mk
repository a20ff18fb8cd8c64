# SPDX-License-Identifier: GPL-3.0-or-later
# `make fuzz` runs every target in tests/fuzz for FUZZ_TIME seconds with clang's libFuzzer, under
# the address and undefined-behaviour sanitizers. What it finds is kept in build-fuzz/corpus and
# used again; a failure leaves its input in build-fuzz/.
FUZZ_CXX ?= clang++-14
FUZZ_TIME ?= 20
FUZZ_TREE := build-fuzz
FUZZERS := $(patsubst tests/fuzz/%_fuzz.cpp,%,$(wildcard tests/fuzz/*_fuzz.cpp))

# Pure code and what reads files from outside; the rest is not explored and not built.
FUZZ_SRC := $(wildcard lib/core/*.cpp) lib/io/toml_config.cpp lib/io/toml_library.cpp lib/io/pdu_families.cpp \
    lib/io/secret_file.cpp lib/io/trusted_file.cpp lib/io/unique_fd.cpp
FUZZ_OBJ := $(FUZZ_SRC:%.cpp=$(FUZZ_TREE)/obj/%.o)

# In its own tree: the code itself must be watched by the fuzzer to be explored.
.PHONY: fuzz-objects
fuzz-objects:
	+$(MAKE) --no-print-directory BUILD=$(FUZZ_TREE) CXX="$(FUZZ_CXX)" \
	    SAN=fuzzer-no-link,address,undefined \
	    $(FUZZ_OBJ) $(FUZZERS:%=$(FUZZ_TREE)/obj/tests/fuzz/%_fuzz.o)

$(FUZZERS:%=$(FUZZ_TREE)/%): $(FUZZ_TREE)/%: fuzz-objects
	$(FUZZ_CXX) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -pthread -o $@ \
	    $(FUZZ_TREE)/obj/tests/fuzz/$*_fuzz.o $(FUZZ_OBJ)

.PHONY: fuzz $(FUZZERS:%=fuzz-%)
$(FUZZERS:%=fuzz-%): fuzz-%: $(FUZZ_TREE)/%
	@mkdir -p $(FUZZ_TREE)/corpus/$*
	$< -max_total_time=$(FUZZ_TIME) -timeout=5 -max_len=4096 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=$(FUZZ_TREE)/$*- $(FUZZ_TREE)/corpus/$* \
	    $(wildcard tests/fuzz/$*_corpus)
fuzz: $(FUZZERS:%=fuzz-%)

.PHONY: clean-fuzz
clean-fuzz:
	rm -rf $(FUZZ_TREE)
clean: clean-fuzz
