// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domkeeper {

/// Kinds of messages (xen/include/public/io/xs_wire.h); those that are used here.
enum class XsType : std::uint32_t {
    Control = 0,
    Directory = 1,
    Read = 2,
    TransactionStart = 6,
    TransactionEnd = 7,
    Write = 11,
    Remove = 13,
    WatchEvent = 15,
    Error = 16,
    IsIntroduced = 17,
    DirectoryPart = 22
};

/// More than this in one message breaks the protocol (XENSTORE_PAYLOAD_MAX).
constexpr std::size_t xs_payload_max = 4096;
/// oxenstored answers on its socket with whole lists, however long; so much of that is taken.
constexpr std::size_t xs_reply_max = 1024 * 1024;
/// An absolute path may have this many bytes (XENSTORE_ABS_PATH_MAX).
constexpr std::size_t xs_path_max = 3072;

/// One question to xenstored. The payload is as the protocol wants it, with its NULs.
struct XsRequest {
    XsType type = XsType::Read;
    std::string payload{};
    std::uint32_t transaction = 0;
};

/// Requests by their words (docs/misc/xenstore.txt of Xen).
XsRequest xs_read(const std::string& path);
XsRequest xs_directory(const std::string& path);
/// The names from byte `offset` of the list on, for lists that do not fit into one message.
XsRequest xs_directory_part(const std::string& path, std::size_t offset);
XsRequest xs_is_introduced(int domain);
/// "quota", or "quota" and a domain's number.
XsRequest xs_control(const std::vector<std::string>& words);

/// What came back: a value, or the error's name.
struct XsAnswer {
    std::string value{};
    std::string error{};  ///< "ENOENT"; empty: none

    bool good() const { return error.empty(); }
};

/// The message as it goes over the wire, in the byte order of this machine: the daemon lives on it.
std::string encode_xs(const XsRequest& request, std::uint32_t id);

/// One reply as it came.
struct XsReply {
    std::uint32_t type = 0;
    std::uint32_t id = 0;
    std::string body;
};

/// Takes bytes as they come and hands out whole replies. Events of watches are dropped.
class XsReplyReader {
  public:
    void feed(std::string_view bytes);
    /// Empty: the next one has not come as a whole. Throws ProtocolError for a message that is
    /// longer than xs_reply_max.
    std::optional<XsReply> next();

  private:
    std::string buffer_;
    std::size_t begin_ = 0;
};

/// The answer to a request of that type. Throws ProtocolError when the reply is of another one.
XsAnswer xs_answer(XsType asked, XsReply reply);

/// The names of a Directory reply, at most `limit`.
std::vector<std::string> parse_xs_names(std::string_view body, std::size_t limit);

/// One piece of a long list. The generation changes when the list changes in between.
struct XsPart {
    std::string generation;
    std::string names;  ///< each with its NUL
    bool last = false;
};
std::optional<XsPart> parse_xs_part(std::string_view body);

/// One row of what the daemon says of quotas.
struct XsQuotaRow {
    std::string name;
    std::int64_t value = 0;
};
/// C xenstored's table of limits or of one domain's use: lines "nodes : 12 words".
std::vector<XsQuotaRow> parse_xs_quota_table(std::string_view text);

struct XsQuotaUse {
    std::int64_t used = 0;
    std::int64_t limit = 0;
};
/// oxenstored's line "dom7 quota: 12/1000"; empty: it counts nothing for that domain.
std::optional<XsQuotaUse> parse_oxenstored_quota(std::string_view text);

}  // namespace domkeeper
