// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/toml_trap.hpp"

#include <cstddef>

namespace domkeeper {
namespace {

constexpr std::string_view header_text =
    "the name of a section begins with a letter, a digit, '_', '-' or a quote";
constexpr std::string_view letter_text = "letters beyond ASCII stand in quotes or in comments only";

/// Walks over a text just well enough to know where a line is a statement of its own, and not a
/// part of a string or a list.
class Walker {
  public:
    explicit Walker(std::string_view text) : text_(text) {
        if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = line_start_ = 3;
    }

    std::optional<TomlTrap> run() {
        bool statement = true;
        while (at_ < text_.size()) {
            if (statement)
                if (const auto bad = bad_header()) return trap(*bad, header_text);
            if (static_cast<unsigned char>(text_[at_]) >= 0x80) return trap(at_, letter_text);
            statement = step();
        }
        return std::nullopt;
    }

  private:
    char peek(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

    std::size_t skip_blanks(std::size_t at) const {
        while (peek(at) == ' ' || peek(at) == '\t') ++at;
        return at;
    }

    static bool begins_key(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '"' || c == '\'';
    }

    TomlTrap trap(std::size_t at, std::string_view text) const {
        return {{line_, static_cast<int>(at - line_start_) + 1}, text};
    }

    std::optional<std::size_t> bad_header() const {
        std::size_t at = skip_blanks(at_);
        if (peek(at) != '[') return std::nullopt;
        at = skip_blanks(at + 1);
        if (peek(at) == '[') at = skip_blanks(at + 1);
        if (at >= text_.size() || begins_key(text_[at]) || text_[at] == ']') return std::nullopt;
        return at;
    }

    /// Goes over one thing; true when what follows is a statement of its own.
    bool step() {
        const char c = text_[at_];
        if (c == '#') {
            while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        } else if (c == '"' || c == '\'') {
            skip_string(c);
        } else {
            if (c == '[' || c == '{') ++depth_;
            if ((c == ']' || c == '}') && depth_ > 0) --depth_;
            return skip_one() && depth_ == 0;
        }
        return false;
    }

    /// True after the end of a line.
    bool skip_one() {
        const bool ended = text_[at_++] == '\n';
        if (ended) {
            ++line_;
            line_start_ = at_;
        }
        return ended;
    }

    void skip_string(char quote) {
        const bool many_lines = peek(at_ + 1) == quote && peek(at_ + 2) == quote;
        at_ += many_lines ? 3 : 1;
        while (at_ < text_.size()) {
            const bool escape = quote == '"' && text_[at_] == '\\';
            // Left for step(), since a string of one line must not go on in the next.
            if (!many_lines && text_[at_] == '\n') return;
            if (!escape && ends_string(quote, many_lines)) return;
            skip_one();
            if (escape && at_ < text_.size() && (many_lines || text_[at_] != '\n')) skip_one();
        }
    }

    /// Eats the end. Up to two quotes right before the closing three belong to the string.
    bool ends_string(char quote, bool many_lines) {
        if (text_[at_] != quote) return false;
        if (!many_lines) {
            ++at_;
            return true;
        }
        std::size_t quotes = 0;
        while (quotes < 5 && peek(at_ + quotes) == quote) ++quotes;
        if (quotes < 3) return false;
        at_ += quotes;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    int line_ = 1;
    int depth_ = 0;
};

}  // namespace

std::optional<TomlTrap> find_toml_trap(std::string_view toml) {
    return Walker(toml).run();
}

}  // namespace domkeeper
