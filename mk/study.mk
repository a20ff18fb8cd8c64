# SPDX-License-Identifier: GPL-3.0-or-later
# `make study`: AoE and iSCSI under many clients, in namespaces of this machine; docs/study.md says
# what it shows.
#   SECONDS=2   length of one measurement (default 5; there are 68)
#   OUT=DIR     where table, CSV and charts go (default: build/study)
STUDY_OUT = $(or $(OUT),$(BUILD)/study)

$(BUILD)/study_client: $(call OBJ,contrib/study/client.cpp) $(ARCHIVE)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(patsubst %.o,%.d,$(call OBJ,contrib/study/client.cpp))

.PHONY: study
study: $(BUILD)/study_client
	contrib/study/study --client $(BUILD)/study_client --out $(STUDY_OUT) $(if $(SECONDS),--seconds $(SECONDS))
