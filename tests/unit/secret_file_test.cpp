// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/secret_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "lib/core/error.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;

TEST_CASE("secrets file: the first line, whole") {
    const test::Scratch scratch;
    const struct {
        std::string content, secret;
    } rows[] = {
        {"s3cret\n", "s3cret"},         {"s3cret", "s3cret"},
        {"s3cret\r\n", "s3cret"},       {"two words \nmore\n", "two words "},
        {"\xc3\xa9#=\n", "\xc3\xa9#="}, {std::string(1024, 'x') + "\n", std::string(1024, 'x')},
    };
    for (const auto& row : rows)
        CHECK(read_secret_file(scratch.write("s", row.content)) == row.secret);
    CHECK(read_secret_file(scratch.write("group", "a\n", 0640)) == "a");
    CHECK_NOTHROW(check_secret_file(scratch.path("group")));
}

TEST_CASE("secrets file: refused when others may read or write it") {
    const test::Scratch scratch;
    for (const int mode : {0644, 0604, 0602, 0601, 0660, 0620, 0666}) {
        INFO(std::oct << mode);
        CHECK_THROWS_AS(read_secret_file(scratch.write("s", "hunter2\n", mode)), Denied);
        CHECK_THROWS_AS(check_secret_file(scratch.path("s")), Denied);
    }
}

TEST_CASE("secrets file: only a regular file, and never a byte of it in an error") {
    const test::Scratch scratch;
    CHECK_THROWS_AS(read_secret_file(scratch.path(".")), Denied);
    CHECK_THROWS_AS(read_secret_file("/dev/zero"), Denied);
    REQUIRE(mkfifo(scratch.path("fifo").c_str(), 0600) == 0);
    CHECK_THROWS_AS(read_secret_file(scratch.path("fifo")), Denied);  // and does not hang
    CHECK_THROWS_AS(read_secret_file(scratch.path("none")), SystemError);
    CHECK_THROWS_AS(read_secret_file(""), SystemError);

    for (const std::string& content :
         {std::string(), std::string("\nhunter2\n"), "hunter2" + std::string(1020, 'x') + "\n",
          std::string("hunter2\0tail\n", 13)}) {
        try {
            read_secret_file(scratch.write("bad", content));
            FAIL("accepted");
        } catch (const SystemError& error) {
            CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
            CHECK(std::string(error.what()).find(scratch.path("bad")) != std::string::npos);
        }
    }
    // A link is followed, and the file behind it is judged.
    std::filesystem::create_symlink(scratch.write("open", "x\n", 0644), scratch.path("link"));
    CHECK_THROWS_AS(read_secret_file(scratch.path("link")), Denied);
}
