// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/xml.hpp"

#include <charconv>
#include <cstdint>

namespace domkeeper {
namespace {

constexpr std::size_t longest_text = std::size_t{4} << 20;
constexpr int deepest = 64;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// What may stand in a name; bytes of other scripts may, too (XML 1.0, 2.3).
bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
        byte(0xC0 | (code >> 6));
    } else if (code < 0x10000) {
        byte(0xE0 | (code >> 12));
        byte(0x80 | ((code >> 6) & 0x3F));
    } else {
        byte(0xF0 | (code >> 18));
        byte(0x80 | ((code >> 12) & 0x3F));
        byte(0x80 | ((code >> 6) & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
}

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::optional<XmlElement> document() {
        XmlElement root;
        if (!skip_misc() || !element(root, 1) || !skip_misc() || at_ != text_.size())
            return std::nullopt;
        return root;
    }

  private:
    bool next_is(std::string_view token) const { return text_.substr(at_, token.size()) == token; }
    bool take(std::string_view token) {
        if (!next_is(token)) return false;
        at_ += token.size();
        return true;
    }
    void skip_space() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }
    /// Jumps behind the next `token`.
    bool skip_past(std::string_view token) {
        const std::size_t found = text_.find(token, at_);
        if (found == std::string_view::npos) return false;
        at_ = found + token.size();
        return true;
    }

    /// Comments and processing instructions around the root.
    bool skip_misc() {
        for (;;) {
            skip_space();
            if (take("<!--")) {
                if (!skip_past("-->")) return false;
            } else if (take("<?")) {
                if (!skip_past("?>")) return false;
            } else {
                return true;
            }
        }
    }

    bool name(std::string& out) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && in_name(text_[at_])) ++at_;
        out = text_.substr(begin, at_ - begin);
        return !out.empty();
    }

    bool entity(std::string& out) {
        const std::size_t end = text_.find(';', at_);
        if (end == std::string_view::npos || end - at_ > 10) return false;
        const std::string_view word = text_.substr(at_, end - at_);
        at_ = end + 1;
        if (word == "lt")
            out += '<';
        else if (word == "gt")
            out += '>';
        else if (word == "amp")
            out += '&';
        else if (word == "apos")
            out += '\'';
        else if (word == "quot")
            out += '"';
        else
            return number(word, out);
        return true;
    }

    static bool number(std::string_view word, std::string& out) {
        if (word.size() < 2 || word.front() != '#') return false;
        const bool hex = word[1] == 'x';
        word.remove_prefix(hex ? 2 : 1);
        std::uint32_t code = 0;
        const char* end = word.data() + word.size();
        const auto [stop, error] = std::from_chars(word.data(), end, code, hex ? 16 : 10);
        const bool surrogate = code >= 0xD800 && code < 0xE000;
        if (error != std::errc{} || stop != end || code == 0 || code > 0x10FFFF || surrogate)
            return false;
        append_utf8(out, code);
        return true;
    }

    bool attributes(XmlElement& out) {
        for (;;) {
            const std::size_t before = at_;
            skip_space();
            if (next_is(">") || next_is("/>")) return true;
            std::string key;
            std::string value;
            if (before == at_ || !name(key)) return false;
            skip_space();
            if (!take("=")) return false;
            skip_space();
            if (!quoted(value) || !out.attributes.emplace(key, std::move(value)).second)
                return false;
        }
    }

    bool quoted(std::string& out) {
        if (at_ >= text_.size()) return false;
        const char quote = text_[at_++];
        if (quote != '"' && quote != '\'') return false;
        while (at_ < text_.size() && text_[at_] != quote) {
            const char c = text_[at_++];
            if (c == '<' || (c == '&' && !entity(out))) return false;
            if (c != '&') out += c;
        }
        return at_++ < text_.size();
    }

    bool element(XmlElement& out, int depth) {
        if (depth > deepest || !take("<") || !name(out.name) || !attributes(out)) return false;
        if (take("/>")) return true;
        if (!take(">")) return false;
        for (;;) {
            if (at_ >= text_.size()) return false;
            if (take("<!--")) {
                if (!skip_past("-->")) return false;
            } else if (take("<![CDATA[")) {
                const std::size_t begin = at_;
                if (!skip_past("]]>")) return false;
                out.text += text_.substr(begin, at_ - begin - 3);
            } else if (take("<?")) {
                if (!skip_past("?>")) return false;
            } else if (take("</")) {
                std::string closing;
                if (!name(closing) || closing != out.name) return false;
                skip_space();
                return take(">");
            } else if (next_is("<")) {
                XmlElement inner;
                if (!element(inner, depth + 1)) return false;
                out.children.push_back(std::move(inner));
            } else if (take("&")) {
                if (!entity(out.text)) return false;
            } else {
                out.text += text_[at_++];
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
    for (const XmlElement& each : children)
        if (each.name == child_name) return &each;
    return nullptr;
}

std::string XmlElement::attribute(const std::string& attribute_name) const {
    const auto found = attributes.find(attribute_name);
    return found == attributes.end() ? std::string() : found->second;
}

std::optional<XmlElement> parse_xml(std::string_view text) {
    if (text.size() > longest_text) return std::nullopt;
    return Reader(text).document();
}

}  // namespace domkeeper
