// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/core/time.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace domkeeper {

/// What a database file must hold.
struct SqliteSchema {
    std::string_view what;     ///< "journal", for errors
    std::int32_t application;  ///< PRAGMA application_id: tells our files from other databases
    const char* script;        ///< makes the tables as they were in version 1
    bool secret;               ///< refuse the file when others can read it
    std::string_view remedy;   ///< what to do when the file is damaged, as an order
    std::span<const char* const> upgrades{};  ///< from each version to the next, in old files and
                                              ///< in new ones alike

    /// PRAGMA user_version that this program knows.
    constexpr int version() const { return static_cast<int>(upgrades.size()) + 1; }
};

class SqliteDb;

/// One run of a prepared statement. Parameters and columns count as in SQLite: from 1 and from 0.
/// The statement is reset when this goes; use one run of the same statement at a time.
class SqliteQuery {
  public:
    SqliteQuery(SqliteQuery&& other) noexcept : db_(other.db_), statement_(other.statement_) {
        other.statement_ = nullptr;
    }
    SqliteQuery(const SqliteQuery&) = delete;
    SqliteQuery& operator=(const SqliteQuery&) = delete;
    SqliteQuery& operator=(SqliteQuery&&) = delete;
    ~SqliteQuery();

    SqliteQuery& bind(int index, std::string_view text);
    SqliteQuery& bind(int index, std::int64_t number);
    SqliteQuery& bind(int index, int number) {
        return bind(index, static_cast<std::int64_t>(number));
    }
    SqliteQuery& bind(int index, bool yes) { return bind(index, std::int64_t{yes ? 1 : 0}); }
    SqliteQuery& bind(int index, TimePoint time) {
        return bind(index, static_cast<std::int64_t>(time.time_since_epoch().count()));
    }
    /// Empty: NULL.
    template <typename T>
    SqliteQuery& bind(int index, const std::optional<T>& value) {
        return value ? bind(index, *value) : bind_null(index);
    }
    SqliteQuery& bind_null(int index);

    /// True: there is a row to read. Throws SystemError.
    bool step();
    /// Runs a statement without rows and makes it ready for the next one. Returns how many rows
    /// it changed.
    int run();

    bool is_null(int column) const;
    std::int64_t integer(int column) const;
    std::string text(int column) const;
    TimePoint time(int column) const;

  private:
    friend class SqliteDb;
    SqliteQuery(SqliteDb& db, sqlite3_stmt* statement) : db_(&db), statement_(statement) {}

    SqliteDb* db_;
    sqlite3_stmt* statement_;  ///< owned by the database's cache
};

/// One open database file: WAL, synchronous FULL (a committed transaction outlives a loss of
/// power), foreign keys on. A lock held by another process is waited for up to two seconds.
/// One thread at a time; never carry an open one over a fork.
class SqliteDb {
  public:
    /// Opens the file, makes it (mode 0600; a last folder that is missing, mode 0700) and its
    /// tables where needed. As root, what is made gets the owner of the folder it stands in, so
    /// that the monitor's user can open it too. Throws SystemError that names the file and says
    /// what to do: newer version, not ours, damaged, a directory, no permission, no space, others
    /// can read it.
    SqliteDb(std::string path, const SqliteSchema& schema);
    ~SqliteDb();
    SqliteDb(const SqliteDb&) = delete;
    SqliteDb& operator=(const SqliteDb&) = delete;

    /// `sql` is prepared once and kept; it must be a literal.
    SqliteQuery query(const char* sql);
    void execute(const char* sql);

    /// The SystemError for what SQLite last said.
    [[noreturn]] void fail() const;
    /// The SystemError for content that no version of this program writes.
    [[noreturn]] void damaged(std::string_view why) const;

    const std::string& path() const { return path_; }

  private:
    friend class SqliteTransaction;
    void prepare_file() const;
    void open();
    void use_wal();
    int version();
    bool has_tables();
    void make_tables();
    void upgrade();
    [[noreturn]] void refuse(const std::string& why) const;

    struct Close {
        void operator()(sqlite3* db) const;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    std::string path_;
    SqliteSchema schema_;
    std::unique_ptr<sqlite3, Close> db_;
    std::map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

/// A write transaction: all or none. Rolled back unless commit() returned.
class SqliteTransaction {
  public:
    explicit SqliteTransaction(SqliteDb& db);
    ~SqliteTransaction();
    SqliteTransaction(const SqliteTransaction&) = delete;
    SqliteTransaction& operator=(const SqliteTransaction&) = delete;

    void commit();

  private:
    SqliteDb& db_;
};

}  // namespace domkeeper
