// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/off_witness.hpp"

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {

OffWord OffWitness::ask(Hypervisor& hypervisor, const DomainRecord& domain, Deadline deadline) {
    OffWord word;
    try {
        hypervisor.keep_off(domain, deadline);
        const OffReading reading = hypervisor.read_off(domain, deadline);
        if (const auto objection = off_objection(reading)) {
            word.text = domain.host + ": " + *objection;
            return word;
        }
        word.text = domain.host + " says: ";
        if (!reading.known) {
            word.text += "no such domain";
        } else {
            word.text += domain_state_name(reading.state);
            if (!reading.reason.empty()) word.text += " (" + printable(reading.reason, 64) + ")";
            word.text += ", autostart off";
        }
        word.proof = ProofOfShutOff(domain.host, domain.uuid, word.text);
    } catch (const Error& error) {
        word.text = printable(error.what());
    }
    return word;
}

}  // namespace domkeeper
