# SPDX-License-Identifier: GPL-3.0-or-later
.PHONY: format
format:
	clang-format-14 -i $$(tests/lint/sources)

# The suite checks the tree's rules and that each violation of them is seen; the format is apart,
# since it may be wrong for a while in the middle of work.
.PHONY: lint
lint:
	tests/lint/run
	@if command -v clang-format-14 > /dev/null; then \
	    clang-format-14 --dry-run -Werror $$(tests/lint/sources) && echo 'format: as it should be'; \
	else \
	    echo 'format: SKIPPED, there is no clang-format-14'; \
	fi
