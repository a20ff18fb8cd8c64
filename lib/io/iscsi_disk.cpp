// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/iscsi_disk.hpp"

#include <random>

#include "lib/core/error.hpp"
#include "lib/io/bounded.hpp"

namespace domkeeper {
namespace {

constexpr std::uint8_t illegal_request = 5, no_such_lun = 0x25;
/// A target that hangs would take as long again for its farewell.
constexpr Duration farewell{200};

void read_samples(IscsiSession& session, int lun, std::size_t samples, Deadline deadline,
                  IscsiDisk& disk) {
    const ScsiCapacity capacity = *disk.capacity;
    std::minstd_rand random(std::random_device{}());
    std::uniform_int_distribution<std::uint64_t> anywhere(0, capacity.blocks - 1);
    for (std::size_t i = 0; i < samples; ++i) {
        // The first and the last tell whether it is as long as it says.
        const std::uint64_t block = i == 0 ? 0 : i == 1 ? capacity.blocks - 1 : anywhere(random);
        const Instant start = mono_now();
        const ScsiReply reply =
            session.command(lun, scsi_read(block, capacity.block_size), deadline);
        if (reply.good() && reply.data.size() == capacity.block_size) {
            disk.latencies.push_back(mono_now() - start);
            continue;
        }
        if (disk.failed_reads++ == 0)
            disk.read_trouble = "block " + std::to_string(block) + ": " +
                                (reply.good() ? "too little came" : reply.text());
    }
}

void read_all(IscsiSession& session, int lun, IscsiQuestions questions, Deadline deadline,
              IscsiDisk& disk) {
    const auto ask = [&](const ScsiCommand& command) {
        return session.command(lun, command, deadline);
    };
    ScsiReply reply = ask(scsi_inquiry());
    if (reply.good()) disk.inquiry = decode_inquiry(reply.data);
    // SPC-4, 6.4.2: a target answers INQUIRY also where there is nothing, and says so in it.
    disk.absent =
        (disk.inquiry && disk.inquiry->qualifier != 0) ||
        (reply.sense && reply.sense->key == illegal_request && reply.sense->asc == no_such_lun);
    if (disk.absent) return;
    reply = ask(scsi_test_unit_ready());
    if (reply.sense && reply.sense->asc == no_such_lun) {
        disk.absent = true;
        return;
    }
    if (!reply.good()) disk.not_ready = reply.text();
    reply = ask(scsi_read_capacity());
    if (reply.good()) disk.capacity = decode_capacity(reply.data);
    reply = ask(scsi_mode_sense());
    if (reply.good()) disk.write_protected = decode_write_protected(reply.data);
    if (questions.reservations) {
        reply = ask(scsi_read_keys());
        if (reply.good()) disk.keys = decode_keys(reply.data);
        reply = ask(scsi_read_reservation());
        if (reply.good()) disk.reservation = decode_reservation(reply.data);
    }
    if (disk.inquiry && disk.inquiry->port_groups) {
        reply = ask(scsi_report_port_groups());
        if (reply.good())
            disk.port_groups =
                decode_port_groups(reply.data).value_or(std::vector<ScsiPortGroup>());
    }
    if (disk.capacity) read_samples(session, lun, questions.samples, deadline, disk);
}

}  // namespace

IscsiDisk read_iscsi_disk(const IscsiLogin& login, int lun, IscsiQuestions questions,
                          Deadline deadline) {
    IscsiDisk disk;
    try {
        IscsiSession session(login, deadline);
        read_all(session, lun, questions, deadline, disk);
        session.log_out(deadline.within(mono_now(), farewell));
    } catch (const UsageError&) {
        throw;
    } catch (const SystemError&) {
        throw;
    } catch (const Error& error) {
        disk.trouble = error.what();
    }
    return disk;
}

}  // namespace domkeeper
