// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/table.hpp"

#include <algorithm>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Characters, each counted as one column wide.
std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    for (; !text.empty(); ++width) text.remove_prefix(std::max<std::size_t>(utf8_length(text), 1));
    return width;
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    for (std::string& cell : cells) cell = printable(cell, 1024);
    rows_.push_back(std::move(cells));
}

std::string Table::render(std::size_t indent) const {
    std::vector<std::size_t> widths;
    std::vector<std::string> titles;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        titles.push_back(columns_[i].title);
        widths.push_back(width_of(titles.back()));
        for (const auto& row : rows_) widths[i] = std::max(widths[i], width_of(row[i]));
    }
    std::string out;
    const auto write = [&](const std::vector<std::string>& row) {
        std::string line(indent, ' ');
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - width_of(row[i]), ' ');
            if (i > 0) line += "  ";
            line += columns_[i].right ? padding + row[i] : row[i] + padding;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    };
    write(titles);
    for (const auto& row : rows_) write(row);
    return out;
}

}  // namespace domkeeper
