# SPDX-License-Identifier: GPL-3.0-or-later
# Installation, as the GNU coding standards name the folders. Pacemaker looks for fence agents in
# /usr/sbin alone, so for it PREFIX must be /usr.
sbindir       ?= $(PREFIX)/sbin
datadir       ?= $(PREFIX)/share
docdir        ?= $(datadir)/doc/domkeeper
mandir        ?= $(datadir)/man/man8
completiondir ?= $(datadir)/bash-completion/completions
# With PREFIX=/usr, `include <plugins-contrib>` finds it there.
icinga2dir    ?= $(datadir)/icinga2/include/plugins-contrib.d
nagiosdir     ?= $(datadir)/domkeeper/nagios
# Found by fence_pdu beside its own folder: sbin and share have one parent.
pdudir        ?= $(datadir)/domkeeper/pdu
INSTALL       ?= install

nrpedir       ?= $(datadir)/domkeeper/nrpe
NRPE_FILES := contrib/nrpe/domkeeper.cfg contrib/nrpe/sudoers contrib/nrpe/README.md

# Where Pacemaker looks for resource agents, with PREFIX=/usr.
ocfdir        ?= $(PREFIX)/lib/ocf/resource.d/domkeeper
OCF_AGENTS := contrib/pacemaker/seat

NAGIOS_OBJECTS := contrib/nagios/domkeeper-templates.cfg contrib/nagios/example.cfg

PDU_FAMILIES := $(wildcard share/domkeeper/pdu/*.toml)
DOCS := $(wildcard README.md docs/*.md contrib/domkeeper.toml.example)

.PHONY: install
install: all
	$(INSTALL) -d $(addprefix $(DESTDIR),$(plugindir) $(sbindir) $(handlerdir) $(mandir) \
	    $(completiondir) $(icinga2dir) $(nagiosdir) $(nrpedir) $(docdir) $(pdudir) \
	    $(ocfdir))
	$(if $(PLUGINS),$(INSTALL) -m 755 $(PLUGINS) $(DESTDIR)$(plugindir))
	$(if $(FENCE_AGENTS)$(TOOLS),$(INSTALL) -m 755 $(FENCE_AGENTS) $(TOOLS) $(DESTDIR)$(sbindir))
	$(if $(HANDLERS),$(INSTALL) -m 755 $(HANDLERS) $(DESTDIR)$(handlerdir))
	$(if $(MAN_PAGES),$(INSTALL) -m 644 $(MAN_PAGES) $(DESTDIR)$(mandir))
	$(if $(COMPLETIONS),$(INSTALL) -m 644 $(COMPLETIONS) $(DESTDIR)$(completiondir))
	$(if $(DOCS),$(INSTALL) -m 644 $(DOCS) $(DESTDIR)$(docdir))
	$(INSTALL) -m 644 $(PDU_FAMILIES) $(DESTDIR)$(pdudir)
	$(FILL_IN) $(BUILD)/icinga2/domkeeper.conf.in > $(DESTDIR)$(icinga2dir)/domkeeper.conf
	$(FILL_IN) $(BUILD)/nagios/domkeeper.cfg.in > $(DESTDIR)$(nagiosdir)/domkeeper.cfg
	$(INSTALL) -m 644 $(NAGIOS_OBJECTS) $(DESTDIR)$(nagiosdir)
	$(INSTALL) -m 755 $(OCF_AGENTS) $(DESTDIR)$(ocfdir)
	$(foreach file,$(NRPE_FILES),$(FILL_IN) $(file) > $(DESTDIR)$(nrpedir)/$(notdir $(file));)
	chmod 644 $(addprefix $(DESTDIR)$(nrpedir)/,$(notdir $(NRPE_FILES)))
	chmod 644 $(DESTDIR)$(icinga2dir)/domkeeper.conf $(DESTDIR)$(nagiosdir)/domkeeper.cfg
	@echo
	@echo 'Installed. Copy $(docdir)/domkeeper.toml.example'
	@echo 'to /etc/domkeeper/domkeeper.toml, edit it and run `domkeeper check-config`.'
	@echo 'Looking at hosts by ping needs the right to: for a monitor that is not root either'
	@echo '    sysctl net.ipv4.ping_group_range="0 2147483647"'
	@echo 'or, with the package libcap2-bin,'
	@echo '    setcap cap_net_raw+ep $(handlerdir)/handle_host $(handlerdir)/handle_domu'
	@echo 'which fence_aoe inside of them needs in any case.'
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ] && command -v setcap > /dev/null && \
	    setcap cap_net_raw+ep $(plugindir)/check_aoe; then \
	    echo 'check_aoe may open packet sockets for whoever runs it.'; \
	else \
	    echo 'AoE needs packet sockets: setcap cap_net_raw+ep $(plugindir)/check_aoe'; \
	fi

.PHONY: uninstall
uninstall:
	rm -f $(addprefix $(DESTDIR)$(plugindir)/,$(notdir $(PLUGINS))) \
	    $(addprefix $(DESTDIR)$(sbindir)/,$(notdir $(FENCE_AGENTS) $(TOOLS))) \
	    $(addprefix $(DESTDIR)$(handlerdir)/,$(notdir $(HANDLERS))) \
	    $(addprefix $(DESTDIR)$(mandir)/,$(notdir $(MAN_PAGES))) \
	    $(addprefix $(DESTDIR)$(completiondir)/,$(notdir $(COMPLETIONS))) \
	    $(addprefix $(DESTDIR)$(docdir)/,$(notdir $(DOCS))) \
	    $(addprefix $(DESTDIR)$(pdudir)/,$(notdir $(PDU_FAMILIES))) \
	    $(DESTDIR)$(icinga2dir)/domkeeper.conf $(DESTDIR)$(nagiosdir)/domkeeper.cfg \
	    $(addprefix $(DESTDIR)$(nagiosdir)/,$(notdir $(NAGIOS_OBJECTS))) \
	    $(addprefix $(DESTDIR)$(nrpedir)/,$(notdir $(NRPE_FILES))) \
	    $(addprefix $(DESTDIR)$(ocfdir)/,$(notdir $(OCF_AGENTS)))

.PHONY: help
help:
	@echo 'make               the programs and the texts made from their option tables, in $(BUILD)/'
	@echo 'make check         every test; installs missing Debian packages when run as root'
	@echo 'make SUITE         one suite of tests: $(sort $(SUITES))'
	@echo 'make demo          a cluster of three hosts on this machine, two of them lost (root)'
	@echo 'make bench          measurements beside peers; nothing is asserted'
	@echo 'make study          AoE and iSCSI under many clients: table, CSV, charts (root)'
	@echo 'make lint          rules that the compiler does not check; make format mends the format'
	@echo 'make rewrite       takes what came for what is expected in the text tests: read the diff'
	@echo 'make install       with PREFIX (now $(PREFIX)) and DESTDIR; make uninstall'
	@echo 'make packages      Debian packages for building and testing'
	@echo 'make clean'
	@echo
	@echo 'SAN=address,undefined  a sanitizer build, in a tree of its own'
	@echo 'CXX=clang++-14         another compiler; config.mk keeps such settings'
