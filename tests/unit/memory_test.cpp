// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/memory.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "lib/core/error.hpp"
#include "lib/io/memory_file.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;

namespace {

TimePoint at(int seconds) {
    return TimePoint(std::chrono::seconds(1'000'000 + seconds));
}

}  // namespace

TEST_CASE("a memory survives its text", "[memory]") {
    Memory memory;
    memory.put("plain", "value");
    memory.put("a b=c%\n", std::string("\0\xff|x", 4));
    memory.put_time("when", at(5));
    const Memory again = parse_memory(render_memory(memory));
    CHECK(again.values() == memory.values());
    CHECK(again.find_time("when") == at(5));
    CHECK_FALSE(again.find("other"));
    CHECK_FALSE(again.find_time("plain"));
}

TEST_CASE("a broken memory is a shorter one", "[memory]") {
    const Memory memory = parse_memory("a=1\n=2\nb\nc=%4\nd=%zz\ne=%41\n\nf=1=2\n");
    CHECK(memory.values() ==
          std::map<std::string, std::string>{{"a", "1"}, {"e", "A"}, {"f", "1=2"}});
    Memory huge;
    for (int i = 0; i < 2000; ++i) huge.put(std::to_string(i), std::string(1000, 'x'));
    CHECK(render_memory(huge).size() <= memory_limit);
    Memory times;
    for (const char* text : {"-1", "99999999999999999", "x", ""}) {
        times.put("t", text);
        CHECK_FALSE(times.find_time("t"));
    }
}

TEST_CASE("how long something has been so", "[memory]") {
    CHECK_FALSE(Recall{}.sighted("x"));
    CHECK_FALSE(Recall{}.unchanged("x", "1"));
    const Memory empty;
    Memory first;
    CHECK(Recall{&empty, &first, at(0)}.sighted("x") == Duration{0});
    CHECK(Recall{&empty, &first, at(0)}.unchanged("beat", "1") == Duration{0});
    Memory second;
    CHECK(Recall{&first, &second, at(10)}.sighted("x") == Duration{10'000});
    CHECK(Recall{&first, &second, at(10)}.unchanged("beat", "1") == Duration{10'000});
    Memory third;  // it was not so in between
    CHECK(Recall{&second, &third, at(20)}.unchanged("beat", "2") == Duration{0});
    Memory fourth;
    CHECK(Recall{&third, &fourth, at(30)}.sighted("x") == Duration{0});
    Memory back;  // the clock was set back
    CHECK(Recall{&fourth, &back, at(-100)}.sighted("x") == Duration{0});
}

TEST_CASE("a memory on disk", "[memory]") {
    const test::Scratch scratch;
    const MemoryFile file(scratch.path("."), "check_x", "qemu+tcp://a/../b");
    CHECK(file.path().find("..") != std::string::npos);
    CHECK(std::filesystem::path(file.path()).parent_path() ==
          std::filesystem::path(scratch.path(".")));
    CHECK(file.path() != MemoryFile(scratch.path("."), "check_x", "qemu+tcp://a/..-b").path());
    CHECK(file.read().empty());
    Memory memory;
    memory.put("a", "1");
    file.write(memory);
    file.write(memory);
    CHECK(file.read().values() == memory.values());
    CHECK((std::filesystem::status(file.path()).permissions() & std::filesystem::perms::all) ==
          static_cast<std::filesystem::perms>(0600));
    CHECK(std::distance(std::filesystem::directory_iterator(scratch.path(".")), {}) == 1);
    std::filesystem::remove(file.path());
    std::filesystem::create_directory(file.path());
    CHECK_THROWS_AS(file.read(), SystemError);
    CHECK_THROWS_AS(file.write(memory), SystemError);
    CHECK_THROWS_AS(MemoryFile("/nowhere", "check_x", "").write(memory), SystemError);
    CHECK(MemoryFile("/nowhere", "check_x", "").read().empty());
}

TEST_CASE("digests tell texts apart", "[memory]") {
    CHECK(digest("") == "cbf29ce484222325");  // the published offset of FNV-1a
    CHECK(digest("a") == "af63dc4c8601ec8c");
    CHECK(digest("a") != digest(std::string("a\0", 2)));
}
