// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace domkeeper {

/// What a domain needs of its host and what a host offers, as labels. Some kinds of them are read
/// from definitions and hosts:
///     arch:x86_64  os:hvm  os:xen (PV)  os:xenpvh  bridge:br0  network:default  pool:fast
/// All others ("gpu", "cpu:avx512f") stand in the cluster file. A readable kind without a name
/// ("bridge:") among a host's offers says that this kind is known of it: then what is not listed
/// is not there. Where it is not known, a need of that kind speaks against no host.
using Labels = std::set<std::string>;

/// "NAME" or "KIND:NAME" of printable characters without spaces, quotes and commas.
bool valid_label(std::string_view label);

/// The labels that a definition (libvirt.org/formatdomain.html) needs. Throws ProtocolError for
/// what is no domain.
Labels needs_of_definition(std::string_view xml);

/// The labels that libvirt's capabilities (libvirt.org/formatcaps.html) offer: arch and os. Throws
/// ProtocolError for what is no such document.
Labels offers_of_capabilities(std::string_view xml);

/// What the cluster file says of a host and what was read of it. A readable kind that the cluster
/// file names counts as known.
Labels all_offers(const std::vector<std::string>& listed, const Labels& read);

/// The first of the needs that the offers do not meet; null: all are met.
const std::string* unmet_need(const std::vector<std::string>& needs, const Labels& offers);

}  // namespace domkeeper
