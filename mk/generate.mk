# SPDX-License-Identifier: GPL-3.0-or-later
# Texts made from the programs' own option tables.
PLUGINS       := $(filter $(BUILD)/plugins/%,$(PROGRAMS))
FENCE_AGENTS  := $(filter $(BUILD)/fence/%,$(PROGRAMS))
HANDLERS      := $(filter $(BUILD)/eventhandlers/handle_%,$(PROGRAMS))
TOOLS         := $(filter $(BUILD)/eventhandlers/domkeeper,$(PROGRAMS))

MAN_PAGES   := $(patsubst %,$(BUILD)/man/%.8,$(notdir $(PROGRAMS)))
COMPLETIONS := $(patsubst %,$(BUILD)/completion/%,$(notdir $(PROGRAMS)))
MONITOR_CONFIGS := $(BUILD)/icinga2/domkeeper.conf $(BUILD)/nagios/domkeeper.cfg
TEXTS := $(MAN_PAGES) $(COMPLETIONS) $(MONITOR_CONFIGS)

# Where the monitors' configuration will look for the programs.
plugindir  ?= $(PREFIX)/lib/nagios/plugins
handlerdir ?= $(PREFIX)/lib/domkeeper/eventhandlers
FILL_IN = sed -e 's|@plugindir@|$(plugindir)|g' -e 's|@handlerdir@|$(handlerdir)|g'

# A program is in one folder of several, so that its texts need a rule each.
define text_rules
$(BUILD)/man/$(notdir $(1)).8: $(1)
	@mkdir -p $$(@D)
	$(1) --generate man > $$@.part
	mv $$@.part $$@

$(BUILD)/completion/$(notdir $(1)): $(1)
	@mkdir -p $$(@D)
	$(1) --generate completion > $$@.part
	mv $$@.part $$@
endef
$(foreach program,$(PROGRAMS),$(eval $(call text_rules,$(program))))

# The .in files name the folders as @plugindir@ and @handlerdir@, for `make install` to fill in.
$(BUILD)/icinga2/domkeeper.conf.in: $(PLUGINS) $(HANDLERS) mk/generate.mk
	@mkdir -p $(@D)
	{ echo '// domkeeper: commands for Icinga 2, made from the programs'\'' option tables.'; \
	  for program in $(PLUGINS) $(HANDLERS); do echo; $$program --generate icinga2 || exit; done; \
	} > $@.part
	mv $@.part $@

$(BUILD)/nagios/domkeeper.cfg.in: $(PLUGINS) $(HANDLERS) mk/generate.mk
	@mkdir -p $(@D)
	{ echo '# domkeeper: commands for Nagios, made from the programs'\'' option tables.'; \
	  echo '# Macros stand in single quotes: nagios.cfg must name that quote in its'; \
	  echo '# illegal_macro_output_chars, as the one that Nagios ships does.'; \
	  for program in $(PLUGINS) $(HANDLERS); do echo; $$program --generate nagios || exit; done; \
	} > $@.part
	mv $@.part $@

$(BUILD)/icinga2/domkeeper.conf $(BUILD)/nagios/domkeeper.cfg: %: %.in
	$(FILL_IN) $< > $@

.PHONY: texts
texts: $(TEXTS)
all: texts
