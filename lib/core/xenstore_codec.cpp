// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/xenstore_codec.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

using Header = std::array<std::uint32_t, 4>;  // type, id, transaction, length of what follows

std::string with_nul(const std::string& text) {
    std::string out = text;
    out.push_back('\0');
    return out;
}

}  // namespace

XsRequest xs_read(const std::string& path) {
    return {XsType::Read, with_nul(path)};
}

XsRequest xs_directory(const std::string& path) {
    return {XsType::Directory, with_nul(path)};
}

XsRequest xs_directory_part(const std::string& path, std::size_t offset) {
    return {XsType::DirectoryPart, with_nul(path) + with_nul(std::to_string(offset))};
}

XsRequest xs_is_introduced(int domain) {
    return {XsType::IsIntroduced, with_nul(std::to_string(domain))};
}

XsRequest xs_control(const std::vector<std::string>& words) {
    XsRequest request{XsType::Control};
    for (const std::string& word : words) request.payload += with_nul(word);
    return request;
}

std::string encode_xs(const XsRequest& request, std::uint32_t id) {
    const Header header{static_cast<std::uint32_t>(request.type), id, request.transaction,
                        static_cast<std::uint32_t>(request.payload.size())};
    std::string out(sizeof header, '\0');
    std::memcpy(out.data(), header.data(), sizeof header);
    return out + request.payload;
}

void XsReplyReader::feed(std::string_view bytes) {
    if (begin_ > xs_payload_max * 16) {
        buffer_.erase(0, begin_);
        begin_ = 0;
    }
    buffer_ += bytes;
}

std::optional<XsReply> XsReplyReader::next() {
    for (;;) {
        Header header{};
        const std::size_t have = buffer_.size() - begin_;
        if (have < sizeof header) return std::nullopt;
        std::memcpy(header.data(), buffer_.data() + begin_, sizeof header);
        const std::size_t length = header[3];
        if (length > xs_reply_max)
            throw ProtocolError("xenstored: a reply of " + std::to_string(length) +
                                " bytes, more than is taken (" + std::to_string(xs_reply_max) +
                                ")");
        if (have < sizeof header + length) return std::nullopt;
        XsReply reply{header[0], header[1], buffer_.substr(begin_ + sizeof header, length)};
        begin_ += sizeof header + length;
        if (begin_ == buffer_.size()) {
            buffer_.clear();
            begin_ = 0;
        }
        if (reply.type != static_cast<std::uint32_t>(XsType::WatchEvent)) return reply;
    }
}

XsAnswer xs_answer(XsType asked, XsReply reply) {
    XsAnswer answer;
    if (reply.type == static_cast<std::uint32_t>(XsType::Error)) {
        answer.error = printable(reply.body.substr(0, reply.body.find('\0')), 32);
        if (answer.error.empty()) answer.error = "an error without a name";
        return answer;
    }
    if (reply.type != static_cast<std::uint32_t>(asked))
        throw ProtocolError("xenstored: a reply of type " + std::to_string(reply.type) +
                            " to a request of type " +
                            std::to_string(static_cast<std::uint32_t>(asked)));
    answer.value = std::move(reply.body);
    return answer;
}

std::vector<std::string> parse_xs_names(std::string_view body, std::size_t limit) {
    std::vector<std::string> names;
    while (!body.empty() && names.size() < limit) {
        const std::size_t end = body.find('\0');
        const std::string_view name = body.substr(0, end);
        if (!name.empty()) names.emplace_back(name);
        if (end == std::string_view::npos) break;
        body.remove_prefix(end + 1);
    }
    return names;
}

std::optional<XsPart> parse_xs_part(std::string_view body) {
    const std::size_t end = body.find('\0');
    if (end == std::string_view::npos || end == 0) return std::nullopt;
    XsPart part;
    part.generation = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (body.empty() || body.back() != '\0') return std::nullopt;
    // The end of the list is an empty name.
    part.last = body.size() == 1 || body[body.size() - 2] == '\0';
    if (part.last) body.remove_suffix(1);
    part.names = body;
    return part;
}

std::vector<XsQuotaRow> parse_xs_quota_table(std::string_view text) {
    constexpr std::size_t most_rows = 32;
    std::vector<XsQuotaRow> rows;
    for (const std::string& line : split(text.substr(0, text.find('\0')), '\n')) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || rows.size() == most_rows) continue;
        const std::string_view rest = trim(std::string_view(line).substr(colon + 1));
        const auto value = parse_integer(rest.substr(0, rest.find(' ')));
        const std::string_view name = trim(std::string_view(line).substr(0, colon));
        if (value && !name.empty()) rows.push_back({std::string(name), *value});
    }
    return rows;
}

std::optional<XsQuotaUse> parse_oxenstored_quota(std::string_view text) {
    constexpr std::string_view mark = " quota: ";
    text = text.substr(0, text.find('\0'));
    const std::size_t begin = text.find(mark);
    if (!starts_with(text, "dom") || begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin + mark.size());
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto used = parse_integer(text.substr(0, slash));
    const auto limit = parse_integer(text.substr(slash + 1));
    if (!used || !limit) return std::nullopt;
    return XsQuotaUse{*used, *limit};
}

}  // namespace domkeeper
