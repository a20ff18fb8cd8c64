// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/sqlite_db.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

constexpr int busy_ms = 2000;

std::string reason(int error) {
    return std::generic_category().message(error);
}

bool is_full(int code, int error) {
    return (code & 0xFF) == SQLITE_FULL || error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/// Makes new names in a folder outlive a loss of power; SQLite does it only for its own files.
void sync_folder(const std::string& folder) {
    const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || fsync(fd.get()) != 0)
        throw SystemError("folder " + printable(folder) + " can't be synced: " + reason(errno));
}

/// Gives a file made by root to the owner of its folder.
void follow_owner(int fd, const std::string& folder) {
    struct stat info {};
    if (geteuid() != 0 || stat(folder.c_str(), &info) != 0) return;
    if (fchown(fd, info.st_uid, info.st_gid) != 0)
        throw SystemError("can't give a new file in " + printable(folder) +
                          " to the folder's owner: " + reason(errno));
}

}  // namespace

SqliteQuery::~SqliteQuery() {
    if (!statement_) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

SqliteQuery& SqliteQuery::bind(int index, std::string_view text) {
    // An empty view may hold a null pointer, which SQLite takes for NULL.
    if (sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK)
        db_->fail();
    return *this;
}

SqliteQuery& SqliteQuery::bind(int index, std::int64_t number) {
    if (sqlite3_bind_int64(statement_, index, number) != SQLITE_OK) db_->fail();
    return *this;
}

SqliteQuery& SqliteQuery::bind_null(int index) {
    if (sqlite3_bind_null(statement_, index) != SQLITE_OK) db_->fail();
    return *this;
}

bool SqliteQuery::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) db_->fail();
    return false;
}

int SqliteQuery::run() {
    if (step()) db_->damaged("a statement gave rows where none were expected");
    const int changed = sqlite3_changes(sqlite3_db_handle(statement_));
    sqlite3_reset(statement_);
    return changed;
}

bool SqliteQuery::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t SqliteQuery::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string SqliteQuery::text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(statement_, column);
    if (!bytes) return {};
    const int size = sqlite3_column_bytes(statement_, column);
    return {bytes, bytes + size};
}

TimePoint SqliteQuery::time(int column) const {
    return TimePoint{std::chrono::microseconds{integer(column)}};
}

void SqliteDb::Close::operator()(sqlite3* db) const {
    sqlite3_close_v2(db);
}
void SqliteDb::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

SqliteDb::SqliteDb(std::string path, const SqliteSchema& schema)
    : path_(std::move(path)), schema_(schema) {
    prepare_file();
    open();
    const int found = version();
    if (found > schema_.version())
        throw SystemError(printable(path_) + " is of version " + std::to_string(found) +
                          ", this program knows " + std::to_string(schema_.version()) +
                          ": use the domkeeper that wrote it or a newer one");
    use_wal();
    execute("PRAGMA synchronous=FULL");
    execute("PRAGMA foreign_keys=ON");
    // A short log keeps opening quick: who opens it first after a crash reads all of it.
    execute("PRAGMA wal_autocheckpoint=200");
    execute("PRAGMA journal_size_limit=1048576");
    if (found == 0) make_tables();
    if (found > 0 && found < schema_.version()) upgrade();
    auto id = query("PRAGMA application_id");
    if (!id.step() || id.integer(0) != schema_.application) refuse("was not made by domkeeper");
}

SqliteDb::~SqliteDb() = default;

void SqliteDb::refuse(const std::string& why) const {
    throw SystemError(std::string(schema_.what) + " " + printable(path_) + " " + why);
}

/// Only stat and access look at a file that is there: closing a second descriptor of it would
/// drop SQLite's locks (fcntl(2): all locks of a process go with any close).
void SqliteDb::prepare_file() const {
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    struct stat info {};
    if (stat(folder.c_str(), &info) != 0) {
        if (errno != ENOENT || (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST))
            throw SystemError("folder " + printable(folder) + " can't be used or made: " +
                              reason(errno) + "; make it for the monitor's user (mode 0700)");
        const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (fd) follow_owner(fd.get(), folder + "/..");
        sync_folder(folder + "/..");
        if (stat(folder.c_str(), &info) != 0)
            throw SystemError("folder " + printable(folder) + ": " + reason(errno));
    }
    if (!S_ISDIR(info.st_mode)) throw SystemError(printable(folder) + " is no directory");
    if ((info.st_mode & S_IWOTH) != 0)
        throw SystemError("everybody may write to folder " + printable(folder) +
                          ": refused; chmod o-w it");

    if (stat(path_.c_str(), &info) != 0) {
        if (errno != ENOENT) refuse("can't be opened: " + reason(errno));
        const UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (fd) {
            follow_owner(fd.get(), folder);
            sync_folder(folder);
        } else if (errno == ENOSPC || errno == EDQUOT) {
            refuse("can't be made: no space left; nothing was done");
        } else if (errno != EEXIST) {  // another process was quicker
            refuse("can't be made: " + reason(errno));
        }
        if (stat(path_.c_str(), &info) != 0) refuse("can't be opened: " + reason(errno));
    }
    if (S_ISDIR(info.st_mode)) refuse("is a directory; move it away");
    if (!S_ISREG(info.st_mode)) refuse("is no regular file; move it away");
    if (schema_.secret && (info.st_mode & S_IRWXO) != 0)
        refuse("holds secrets and others can read it: refused; chmod o-rwx it");
    if ((info.st_mode & S_IWOTH) != 0) refuse("can be written by everybody: refused; chmod o-w it");
    if (faccessat(AT_FDCWD, path_.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
        refuse("can't be read and written by this user: " + reason(errno) +
               (errno == EACCES ? "; run as the monitor's user" : ""));
}

void SqliteDb::open() {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(
        path_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    db_.reset(raw);
    if (!db_) refuse("can't be opened: out of memory");
    if (code != SQLITE_OK) fail();
    sqlite3_busy_timeout(db_.get(), busy_ms);
    // Folding the log back at each close would cost a handler two more waits for the disk.
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

void SqliteDb::use_wal() {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_ms);
    for (;;) {
        {
            auto mode = query("PRAGMA journal_mode=WAL");
            const int code = sqlite3_step(mode.statement_);
            if (code == SQLITE_ROW) {
                if (mode.text(0) != "wal") refuse("can't use a write-ahead log on this filesystem");
                return;
            }
            // SQLite does not wait here: several processes that make the file meet at this point.
            if ((code & 0xFF) != SQLITE_BUSY || std::chrono::steady_clock::now() > give_up) fail();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
}

int SqliteDb::version() {
    auto found = query("PRAGMA user_version");
    if (!found.step()) damaged("it has no version");
    return static_cast<int>(found.integer(0));
}

bool SqliteDb::has_tables() {
    auto tables = query("SELECT count(*) FROM sqlite_schema");
    return !tables.step() || tables.integer(0) != 0;
}

void SqliteDb::make_tables() {
    SqliteTransaction transaction(*this);
    const int found = version();
    if (found == schema_.version()) return;  // another process was quicker
    if (found != 0 || has_tables()) refuse("was not made by domkeeper");
    execute(schema_.script);
    for (const char* step : schema_.upgrades) execute(step);
    execute(("PRAGMA application_id=" + std::to_string(schema_.application)).c_str());
    execute(("PRAGMA user_version=" + std::to_string(schema_.version())).c_str());
    transaction.commit();
}

void SqliteDb::upgrade() {
    SqliteTransaction transaction(*this);
    const int found = version();
    if (found == schema_.version()) return;  // another process was quicker
    auto id = query("PRAGMA application_id");
    if (!id.step() || id.integer(0) != schema_.application) refuse("was not made by domkeeper");
    for (const char* step : schema_.upgrades.subspan(static_cast<std::size_t>(found) - 1))
        execute(step);
    execute(("PRAGMA user_version=" + std::to_string(schema_.version())).c_str());
    transaction.commit();
}

SqliteQuery SqliteDb::query(const char* sql) {
    auto& kept = statements_[sql];
    if (!kept) {
        sqlite3_stmt* raw = nullptr;
        const int code =
            sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
        kept.reset(raw);
        if (code != SQLITE_OK || !raw) {
            statements_.erase(sql);
            fail();
        }
    }
    return {*this, kept.get()};
}

void SqliteDb::execute(const char* sql) {
    if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void SqliteDb::fail() const {
    const int code = sqlite3_extended_errcode(db_.get());
    // For other codes it may hold the error of something that went wrong long ago.
    const bool fresh = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
    const int error = fresh ? sqlite3_system_errno(db_.get()) : 0;
    const std::string said = sqlite3_errmsg(db_.get());
    if (is_full(code, error)) refuse("can't be written: no space left; nothing was done");
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            refuse("was locked by another process for " + std::to_string(busy_ms / 1000) +
                   " s; nothing was done");
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: damaged(said);
        case SQLITE_READONLY: refuse("can't be written: " + said + "; nothing was done");
        case SQLITE_CANTOPEN: refuse("can't be opened: " + (error != 0 ? reason(error) : said));
        default:
            refuse("failed: " + said + (error != 0 ? " (" + reason(error) + ")" : std::string{}));
    }
}

void SqliteDb::damaged(std::string_view why) const {
    refuse("is damaged: " + printable(why) + "; " + std::string(schema_.remedy));
}

SqliteTransaction::SqliteTransaction(SqliteDb& db) : db_(db) {
    db_.execute("BEGIN IMMEDIATE");
}

SqliteTransaction::~SqliteTransaction() {
    // SQLite rolls back by itself after some errors; a second time would be one more error.
    if (sqlite3_get_autocommit(db_.db_.get()) == 0)
        sqlite3_exec(db_.db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void SqliteTransaction::commit() {
    db_.execute("COMMIT");
}

}  // namespace domkeeper
