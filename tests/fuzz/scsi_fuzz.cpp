// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes are an answer of a disk or refused.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "lib/core/scsi_codec.hpp"
#include "lib/core/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace domkeeper;
    const std::span<const std::uint8_t> input(data, size);
    if (const auto keys = decode_keys(input); keys && keys->size() * 8 + 8 > size) std::abort();
    if (const auto groups = decode_port_groups(input); groups && groups->size() * 8 > size)
        std::abort();
    if (const auto capacity = decode_capacity(input);
        capacity && (capacity->blocks == 0 || capacity->block_size < 512))
        std::abort();
    if (const auto sense = decode_sense(input)) {
        const std::string text = sense_text(*sense);
        if (printable(text) != text) std::abort();
    }
    decode_inquiry(input);
    decode_reservation(input);
    decode_write_protected(input);
    return 0;
}
