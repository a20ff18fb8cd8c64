// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/uri.hpp"

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// scheme "://" [user_info "@"] rest ["?" query]; a text without "://" is all rest.
struct UriParts {
    std::string_view scheme;
    std::string_view user_info;
    std::string_view rest;
    std::string_view query;
};

UriParts parse_uri(std::string_view uri) {
    UriParts parts;
    const std::size_t scheme_end = uri.find("://");
    if (scheme_end != std::string_view::npos) {
        parts.scheme = uri.substr(0, scheme_end);
        uri.remove_prefix(scheme_end + 3);
        // A password may hold '/' or '@' though it should not: the last '@' ends it.
        const std::size_t at = uri.substr(0, uri.find('?')).rfind('@');
        if (at != std::string_view::npos) {
            parts.user_info = uri.substr(0, at);
            uri.remove_prefix(at + 1);
        }
    }
    const std::size_t query = uri.find('?');
    parts.rest = uri.substr(0, query);
    if (query != std::string_view::npos) parts.query = uri.substr(query + 1);
    return parts;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    if (from.empty()) return;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
}

}  // namespace

std::string shown_uri(std::string_view uri) {
    const UriParts parts = parse_uri(uri);
    std::string out(parts.scheme);
    if (!parts.scheme.empty()) out += "://";
    return printable(out.append(parts.rest));
}

std::string without_secrets(std::string_view message, std::string_view uri) {
    const UriParts parts = parse_uri(uri);
    std::string out(message);
    replace_all(out, uri, shown_uri(uri));
    if (!parts.user_info.empty()) {
        replace_all(out, std::string(parts.user_info) + "@", "");
        const std::size_t colon = parts.user_info.find(':');
        if (colon != std::string_view::npos)
            replace_all(out, parts.user_info.substr(colon + 1), "...");
    }
    replace_all(out, parts.query, "...");
    for (char& c : out)
        if (c == '\n' || c == '\r' || c == '\t') c = ' ';
    return printable(trim(out), 512);
}

bool uri_uses_ssh(std::string_view uri) {
    const std::string_view scheme = parse_uri(uri).scheme;
    const std::size_t plus = scheme.find('+');
    if (plus == std::string_view::npos) return false;
    const std::string_view transport = scheme.substr(plus + 1);
    return transport == "ssh" || transport == "libssh" || transport == "libssh2";
}

std::string uri_for_others(std::string_view uri) {
    return std::string(uri.substr(0, uri.find('?')));
}

std::string with_uri_parameter(std::string_view uri, std::string_view parameter) {
    const std::string_view query = parse_uri(uri).query;
    const std::string_view name = parameter.substr(0, parameter.find('='));
    for (const std::string& part : split(query, '&'))
        if (std::string_view(part).substr(0, part.find('=')) == name) return std::string(uri);
    std::string out(uri);
    if (uri.find('?') == std::string_view::npos)
        out += '?';
    else if (!query.empty())
        out += '&';
    return out.append(parameter);
}

std::string render_endpoint(const std::string& address, int port) {
    const bool v6 = address.find(':') != std::string::npos;
    return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace domkeeper
