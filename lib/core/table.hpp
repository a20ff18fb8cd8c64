// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace domkeeper {

/// A table for people: columns of one width each, two spaces apart, titles on top. Cells are made
/// printable.
class Table {
  public:
    struct Column {
        std::string title;
        bool right = false;  ///< numbers stand on the right
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// One cell a column; what is missing is empty, what is too much is dropped.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    /// Lines with their newlines, each after `indent` spaces, none with spaces at its end.
    std::string render(std::size_t indent = 0) const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace domkeeper
