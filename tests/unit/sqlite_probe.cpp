// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/sqlite_probe.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

#include "lib/core/error.hpp"

namespace domkeeper::test {

std::string raw_sql(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    const int opened = sqlite3_open(path.c_str(), &db);
    std::unique_ptr<sqlite3, int (*)(sqlite3*)> own(db, sqlite3_close);
    std::string last;
    const auto keep = [](void* out, int columns, char** values, char**) {
        if (columns > 0 && values[0]) *static_cast<std::string*>(out) = values[0];
        return 0;
    };
    if (opened != SQLITE_OK || sqlite3_exec(db, sql.c_str(), keep, &last, nullptr) != SQLITE_OK)
        throw std::runtime_error(sqlite3_errmsg(db));
    return last;
}

int in_child(const std::function<void()>& body) {
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no child");
    if (child == 0) {
        try {
            body();
        } catch (...) {
            _exit(99);
        }
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) throw std::runtime_error("no status");
    return status;
}

std::string system_error_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const SystemError& e) {
        return e.what();
    }
    return "no error";
}

void as_nobody(const std::function<void()>& body) {
    constexpr uid_t nobody = 65534;
    const bool root = geteuid() == 0;
    if (root && seteuid(nobody) != 0) throw std::runtime_error("can't become nobody");
    struct Back {
        bool root;
        ~Back() {
            if (root && seteuid(0) != 0) std::terminate();
        }
    } const back{root};
    body();
}

std::string on_small_disk(const std::string& folder, int kilobytes,
                          const std::function<std::string()>& body) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    const int status = in_child([&] {
        std::string said = "SKIPPED";
        const std::string size = "mode=0700,size=" + std::to_string(kilobytes) + "k";
        const int spaces = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
        if (unshare(spaces) == 0 &&
            mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
            mount("tmpfs", folder.c_str(), "tmpfs", 0, size.c_str()) == 0)
            said = body();
        if (write(ends[1], said.data(), said.size()) < 0) _exit(98);
    });
    close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(got));
    close(ends[0]);
    return status == 0 ? said : "child ended with status " + std::to_string(status);
}

}  // namespace domkeeper::test
