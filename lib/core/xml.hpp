// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domkeeper {

/// One element of an XML text with all that is in it.
struct XmlElement {
    std::string name;  ///< with its prefix, as written
    std::map<std::string, std::string> attributes;
    std::vector<XmlElement> children;
    std::string text;  ///< its own character data, joined

    /// The first child of that name; null when there is none.
    const XmlElement* child(std::string_view child_name) const;
    /// Empty also where there is no such attribute.
    std::string attribute(const std::string& attribute_name) const;
};

/// Reads the XML that libvirt writes. Empty for what is not well-formed, for a document type (with
/// the entities that one could define), for elements nested more than 64 deep and for more than
/// 4 MiB: whoever can't read a definition must not guess at it.
std::optional<XmlElement> parse_xml(std::string_view text);

}  // namespace domkeeper
