// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/initiator.hpp"

#include <poll.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "lib/io/bounded.hpp"
#include "lib/io/counter_file.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;
using domkeeper::test::Scratch;

namespace {

namespace fs = std::filesystem;

/// A /sys as the drivers of Linux 6.1 show it.
class Kernel {
  public:
    void put(const std::string& path, const std::string& text) const {
        const fs::path at = root() + path;
        fs::create_directories(at.parent_path());
        std::ofstream(at) << text << '\n';
    }
    void aoe(const std::string& name, const std::string& state) const {
        const std::string at = "/sys/block/etherd!" + name + "/";
        put(at + "state", state);
        put(at + "mac", "02a0e0000001");
        put(at + "netif", "eth0\neth1");
        put(at + "firmware-version", "0x4019");
        put(at + "payload", "1024");
        put(at + "size", "16384");
        put(at + "ro", "0");
    }
    void iscsi() const {
        const std::string at = "/sys/class/iscsi_session/session1/";
        put(at + "state", "LOGGED_IN");
        put(at + "targetname", "iqn.x:t1");
        put(at + "recovery_tmo", "120");
        const std::string there = "/sys/class/iscsi_connection/connection1:0/";
        put(there + "state", "up");
        put(there + "address", "10.0.0.1");
        put(there + "port", "3260");
        put(there + "ping_tmo", "5");
        put("/sys/class/iscsi_connection/connection11:0/state", "failed");
        const std::string disk = at + "device/target0:0:0/0:0:0:1/";
        put(disk + "state", "running");
        put(disk + "ioerr_cnt", "0x1f");
        put(disk + "iotmo_cnt", "0x2");
        put(disk + "block/sda/size", "131072");
        put(at + "device/target0:0:0/0:0:0:0/state", "running");
    }
    std::string root() const { return folder_.path("root"); }

  private:
    Scratch folder_;
};

BlockRead read_well() {
    BlockRead read;
    read.latencies = {std::chrono::microseconds(50)};
    return read;
}

Status judged(const Kernel& kernel, const BlockRead& read,
              const std::map<std::string, DiskCounters>& before = {}) {
    return overall(judge_iscsi_sessions(read_iscsi_sessions(kernel.root()), {{"sda", read}},
                                        {{"iqn.x:t1", 1, {}}}, {}, before));
}

}  // namespace

TEST_CASE("Initiator: disks of the aoe driver") {
    const Kernel kernel;
    CHECK(read_aoe_devices(kernel.root()).empty());
    kernel.aoe("e7.3", "up");
    kernel.aoe("e7.4", "down,closewait");
    kernel.put("/sys/block/etherd!x/state", "up");
    kernel.put("/sys/block/sda/size", "1");
    const auto devices = read_aoe_devices(kernel.root());
    REQUIRE(devices.size() == 2);
    CHECK(devices[0].address == AoeAddress{7, 3});
    CHECK(devices[0].interfaces == std::vector<std::string>{"eth0", "eth1"});
    CHECK(devices[0].sectors == 16384);
    CHECK(devices[1].state == "down,closewait");
    AoeExpectations wanted;
    wanted.targets = {{{7, 3}, {}}};
    const auto judge = [&](const BlockRead& read, const std::vector<std::string>& interfaces = {}) {
        return judge_aoe_devices(devices, {read, read}, wanted, interfaces);
    };
    CHECK(judge(read_well()).summary ==
          "e7.3: 8 MiB, 1 read, median 0.05 ms, p99 0.05 ms, up through eth0 and eth1 to "
          "02a0e0000001, 1024 bytes a frame");
    CHECK(overall(judge(read_well(), {"eth2"})) == Status::Warning);
    BlockRead hung;
    hung.hung = true;
    CHECK(judge(hung).summary ==
          "e7.3: a read has not come back, while the kernel says \"up\": the target hangs, is "
          "gone, or does not serve this host");
    BlockRead failed;
    failed.error = EIO;
    CHECK(overall(judge(failed)) == Status::Critical);
    wanted.targets = {{{7, 4}, {}}};
    CHECK(overall(judge(read_well())) == Status::Critical);
    wanted.targets = {{{7, 5}, {}}};
    CHECK(overall(judge(read_well())) == Status::Critical);
    wanted.targets = {{{7, 3}, mebibytes(16)}};
    CHECK(overall(judge(read_well())) == Status::Critical);
}

TEST_CASE("Initiator: iSCSI sessions") {
    const Kernel kernel;
    CHECK(judged(kernel, read_well()) == Status::Critical);
    kernel.iscsi();
    const auto sessions = read_iscsi_sessions(kernel.root());
    REQUIRE(sessions.size() == 1);
    REQUIRE(sessions[0].connections.size() == 1);
    REQUIRE(sessions[0].devices.size() == 2);
    CHECK(sessions[0].devices[1].errors == 0x1F);
    CHECK(sessions[0].devices[1].timeouts == 2);
    CHECK(sessions[0].devices[1].block == "sda");
    CHECK(sessions[0].devices[1].lun == 1);
    CHECK(judged(kernel, read_well()) == Status::Ok);
    const std::string session = "/sys/class/iscsi_session/session1/";
    SECTION("hangs") {
        BlockRead hung;
        hung.hung = true;
        CHECK(judged(kernel, hung) == Status::Critical);
    }
    SECTION("session failed") {
        kernel.put(session + "state", "FAILED");
        CHECK(judged(kernel, read_well()) == Status::Critical);
    }
    SECTION("device blocked") {
        kernel.put(session + "device/target0:0:0/0:0:0:1/state", "blocked");
        CHECK(judged(kernel, read_well()) == Status::Critical);
    }
    SECTION("connection failed") {
        kernel.put("/sys/class/iscsi_connection/connection1:0/state", "failed");
        CHECK(judged(kernel, read_well()) == Status::Critical);
    }
    SECTION("no ping") {
        kernel.put("/sys/class/iscsi_connection/connection1:0/ping_tmo", "0");
        CHECK(judged(kernel, read_well()) == Status::Warning);
    }
    SECTION("waits for ever") {
        kernel.put(session + "recovery_tmo", "off");
        CHECK(judged(kernel, read_well()) == Status::Warning);
    }
    SECTION("errors since the last run") {
        CHECK(judged(kernel, read_well(), {{"iqn.x:t1/1", {0x1F, 2}}}) == Status::Ok);
        CHECK(judged(kernel, read_well(), {{"iqn.x:t1/1", {0x1E, 2}}}) == Status::Warning);
        // Counters begin anew when the disk does.
        CHECK(judged(kernel, read_well(), {{"iqn.x:t1/1", {0xFF, 9}}}) == Status::Ok);
    }
}

TEST_CASE("Initiator: counters between two runs") {
    const std::map<std::string, DiskCounters> counters{{"iqn.x:t1/1", {31, 2}}};
    const Scratch scratch;
    const std::string file = scratch.path("counters");
    CHECK(read_counter_file(file).empty());
    write_counter_file(file, render_counters(counters));
    const auto back = parse_counters(read_counter_file(file));
    REQUIRE(back.size() == 1);
    CHECK(back.at("iqn.x:t1/1").errors == 31);
    CHECK(back.at("iqn.x:t1/1").timeouts == 2);
    CHECK(parse_counters("x\na b c\na -1 2\na 1 2 3\n\n").empty());
}

TEST_CASE("Initiator: a child that hangs keeps nobody waiting for the end of our output") {
    const Scratch scratch;
    const std::string hangs = scratch.path("pipe");
    REQUIRE(std::system(("mkfifo " + hangs).c_str()) == 0);
    int output[2];  // as our standard output, which NRPE or sshd reads to its end
    REQUIRE(pipe(output) == 0);
    std::thread reading([&] { read_blocks({hangs}, 1, Deadline{mono_now() + Duration{2000}}); });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    close(output[1]);
    pollfd end{output[0], POLLIN, 0};
    CHECK(poll(&end, 1, 500) == 1);
    reading.join();
    close(output[0]);
}

TEST_CASE("Initiator: real reads in a child") {
    const Scratch scratch;
    const auto soon = [] { return Deadline{mono_now() + Duration{3000}}; };
    const std::string absent = scratch.path("absent");
    // A pipe without a writer: its opening does not come back, as with a disk that hangs.
    const std::string pipe = scratch.path("pipe");
    REQUIRE(std::system(("mkfifo " + pipe).c_str()) == 0);
    const Instant start = mono_now();
    const auto reads = read_blocks({absent, pipe}, 2, Deadline{start + Duration{300}});
    CHECK(mono_now() - start < Duration{1000});
    CHECK(reads[0].error == ENOENT);
    CHECK_FALSE(reads[0].hung);
    CHECK(reads[1].hung);
    // A file stands for a disk, where the file system can read past the page cache.
    const std::string disk = scratch.path("disk");
    std::ofstream(disk) << std::string(65536, 'x');
    const auto good = read_blocks({disk}, 3, soon());
    if (good[0].error == EINVAL) {
        WARN("SKIPPED: no direct reads from this file system");
        return;
    }
    CHECK(good[0].error == 0);
    CHECK(good[0].latencies.size() == 3);
}
