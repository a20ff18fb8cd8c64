// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/snmp_session.hpp"

// net-snmp wants its configuration before its other headers.
// clang-format off
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
// clang-format on
#include <poll.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/udp_knock.hpp"

namespace domkeeper {
namespace {

constexpr Duration ask_again{400};
/// One try to learn the engine's identity; the library blocks for it.
constexpr Duration probe_time{300};

/// How long a silent device's network may take to say that nobody is there.
constexpr Duration knock_time{50};
/// RFC 3414, 4: what any manager may ask any agent first, an engine's identity.
constexpr std::array<std::uint8_t, 60> discovery{
    0x30, 0x3a, 0x02, 0x01, 0x03,                                      // SNMPv3 message
    0x30, 0x0f, 0x02, 0x02, 0x4d, 0x2f, 0x02, 0x03, 0x00, 0xff, 0xe3,  // number, largest size
    0x04, 0x01, 0x04, 0x02, 0x01, 0x03,                                // reportable, USM
    0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01,  // no engine, no clock,
    0x00, 0x04, 0x00, 0x04, 0x00, 0x04, 0x00,                          // no user
    0x30, 0x12, 0x04, 0x00, 0x04, 0x00, 0xa0, 0x0c, 0x02, 0x02, 0x4d,  // a get of nothing
    0x2f, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00};

/// Users, engines and request numbers are the library's own, for all sessions together.
std::mutex& library_mutex() {
    static std::mutex mutex;
    return mutex;
}

/// Readies the library once; the caller holds the mutex. Not by init_snmp(), which reads
/// configuration and MIBs, keeps a file of its own and takes longer than a whole request.
void prepare_library() {
    static const bool done = [] {
        netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
        for (const int off :
             {NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
              NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE})
            netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, off, 1);
        netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE, "domkeeper");
        netsnmp_container_init_list();
        init_callbacks();
        init_snmp_transport();
        init_snmpv3("domkeeper");
        netsnmp_tdomain_init();
        // What it does after reading its configuration: its own identity, and the nameless user of
        // the first question.
        snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_PREMIB_READ_CONFIG, nullptr);
        snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_READ_CONFIG, nullptr);
        return true;
    }();
    static_cast<void>(done);
}

struct CloseSession {
    void operator()(void* handle) const {
        const std::lock_guard lock(library_mutex());
        snmp_sess_close(handle);
    }
};

/// "SHA256" and "sha-256" are one protocol; AES is the one with 128 bits.
std::string protocol_name(const std::string& name) {
    static const std::map<std::string, std::string> names{
        {"md5", "MD5"},         {"sha", "SHA"},         {"sha1", "SHA"},
        {"sha-1", "SHA"},       {"sha224", "SHA-224"},  {"sha-224", "SHA-224"},
        {"sha256", "SHA-256"},  {"sha-256", "SHA-256"}, {"sha384", "SHA-384"},
        {"sha-384", "SHA-384"}, {"sha512", "SHA-512"},  {"sha-512", "SHA-512"},
        {"des", "DES"},         {"aes", "AES"},         {"aes128", "AES"},
        {"aes-128", "AES"}};
    const auto found = names.find(lower(name));
    return found == names.end() ? std::string() : found->second;
}

SnmpValue value_of(const netsnmp_variable_list& variable) {
    using Kind = SnmpValue::Kind;
    SnmpValue value;
    switch (variable.type) {
        case SNMP_NOSUCHOBJECT:
        case SNMP_NOSUCHINSTANCE:
        case SNMP_ENDOFMIBVIEW: return value;
        case ASN_INTEGER:
            if (variable.val.integer == nullptr) break;
            value.kind = Kind::Integer;
            value.number = *variable.val.integer;
            return value;
        case ASN_GAUGE:
        case ASN_COUNTER:
        case ASN_TIMETICKS:
            if (variable.val.integer == nullptr) break;
            value.kind = Kind::Integer;
            value.number = static_cast<std::uint32_t>(*variable.val.integer);
            return value;
        case ASN_OCTET_STR:
            value.kind = Kind::Text;
            if (variable.val.string != nullptr)
                value.text.assign(reinterpret_cast<const char*>(variable.val.string),
                                  std::min<std::size_t>(variable.val_len, 1024));
            return value;
        case ASN_OBJECT_ID:
            value.kind = Kind::ObjectId;
            if (variable.val.objid != nullptr)
                for (std::size_t i = 0; i < variable.val_len / sizeof(oid); ++i)
                    value.oid.push_back(static_cast<std::uint32_t>(variable.val.objid[i]));
            return value;
        default: break;
    }
    value.kind = Kind::Other;
    return value;
}

/// What came for one request.
struct Answer {
    int request = 0;
    bool over = false;
    bool late = false;  ///< the library has stopped asking
    int report = 0;     ///< SNMPERR_..., of a report instead of an answer
    long error = 0;     ///< SNMP_ERR_...
    long error_index = 0;
    std::vector<SnmpVariable> variables;
};

int take_answer(int operation, netsnmp_session*, int request, netsnmp_pdu* pdu, void* magic) {
    Answer& answer = *static_cast<Answer*>(magic);
    // A report need not name the request that it is about; the message's number is checked before.
    const bool report = pdu != nullptr && pdu->command == SNMP_MSG_REPORT;
    if ((request != answer.request && !report) || answer.over) return 1;
    if (operation == NETSNMP_CALLBACK_OP_TIMED_OUT) {
        answer.late = answer.over = true;
    } else if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu != nullptr) {
        if (report) {
            answer.report = snmpv3_get_report_type(pdu);
            // The clock of the engine was not known yet: the library asks again by itself.
            if (answer.report == SNMPERR_NOT_IN_TIME_WINDOW) return 1;
        } else if (pdu->command == SNMP_MSG_RESPONSE) {
            answer.error = pdu->errstat;
            answer.error_index = pdu->errindex;
            for (const auto* v = pdu->variables; v != nullptr; v = v->next_variable) {
                SnmpVariable variable{{}, value_of(*v)};
                for (std::size_t i = 0; i < v->name_length; ++i)
                    variable.oid.push_back(static_cast<std::uint32_t>(v->name[i]));
                answer.variables.push_back(std::move(variable));
            }
        } else {
            answer.report = SNMPERR_UNKNOWN_PDU;
        }
        answer.over = true;
    }
    return 1;
}

class SnmpSession final : public Snmp {
  public:
    explicit SnmpSession(SnmpLogin login) : login_(std::move(login)) {
        name_ = printable(login_.host, 80) + ":" + std::to_string(login_.port);
    }
    ~SnmpSession() override {
        for (std::string* secret :
             {&login_.community, &login_.auth_password, &login_.priv_password})
            explicit_bzero(secret->data(), secret->size());
    }
    SnmpSession(const SnmpSession&) = delete;
    SnmpSession& operator=(const SnmpSession&) = delete;

    std::vector<SnmpValue> get(const std::vector<Oid>& oids, Deadline deadline) override {
        std::vector<SnmpValue> values(oids.size());
        std::vector<std::size_t> wanted;
        for (std::size_t i = 0; i < oids.size(); ++i) wanted.push_back(i);
        while (!wanted.empty()) {
            std::vector<Oid> asked;
            for (const std::size_t i : wanted) asked.push_back(oids[i]);
            const Answer answer = ask(SNMP_MSG_GET, asked, std::nullopt, deadline);
            // Version 1 names the one object that is not there and answers nothing else.
            if (answer.error == SNMP_ERR_NOSUCHNAME) {
                const long index = answer.error_index;
                if (index < 1 || index > static_cast<long>(wanted.size()))
                    throw ProtocolError(name_ + ": no such object, but it does not say which");
                wanted.erase(wanted.begin() + (index - 1));
                continue;
            }
            check(answer, "reading");
            if (answer.variables.size() != asked.size())
                throw ProtocolError(name_ + ": it answers " +
                                    counted(answer.variables.size(), "object") + ", asked were " +
                                    std::to_string(asked.size()));
            for (std::size_t i = 0; i < asked.size(); ++i) {
                if (answer.variables[i].oid != asked[i])
                    throw ProtocolError(name_ + ": it answers for another object than was asked");
                values[wanted[i]] = answer.variables[i].value;
            }
            break;
        }
        return values;
    }

    SnmpVariable next(const Oid& after, Deadline deadline) override {
        const Answer answer = ask(SNMP_MSG_GETNEXT, {after}, std::nullopt, deadline);
        if (answer.error == SNMP_ERR_NOSUCHNAME) return {};
        check(answer, "reading");
        if (answer.variables.size() != 1)
            throw ProtocolError(name_ + ": it answers several objects for one");
        const SnmpVariable& variable = answer.variables.front();
        if (variable.value.kind == SnmpValue::Kind::Missing) return {};
        if (variable.oid <= after) throw ProtocolError(name_ + ": its objects are not in order");
        return variable;
    }

    void set(const Oid& oid, std::int64_t value, Deadline deadline) override {
        check(ask(SNMP_MSG_SET, {oid}, value, deadline), "switching");
    }

  private:
    /// The session, opened when there is none. Throws as the port does.
    void ensure_session(Deadline deadline) {
        if (session_) return;
        address_ = resolve(login_.host, login_.port, login_.family, deadline).front();
        const std::string port = std::to_string(login_.port);
        std::string peer = address_.ipv6 ? "udp6:[" + address_.text + "]:" + port
                                         : "udp:" + address_.text + ":" + port;
        if (const int error = try_open(peer)) fail(error);
    }

    /// The library's error; 0 when the session is there.
    int try_open(std::string& peer) {
        const std::lock_guard lock(library_mutex());
        prepare_library();
        netsnmp_session session;
        snmp_sess_init(&session);
        session.peername = peer.data();
        switch (login_.version) {
            case SnmpVersion::V1:
            case SnmpVersion::V2c:
                session.version =
                    login_.version == SnmpVersion::V1 ? SNMP_VERSION_1 : SNMP_VERSION_2c;
                session.community = reinterpret_cast<unsigned char*>(login_.community.data());
                session.community_len = login_.community.size();
                break;
            case SnmpVersion::V3:
                if (const int error = fill_security(session)) return error;
                break;
        }
        void* handle = snmp_sess_open(&session);
        explicit_bzero(session.securityAuthKey, sizeof session.securityAuthKey);
        explicit_bzero(session.securityPrivKey, sizeof session.securityPrivKey);
        if (handle == nullptr)
            return session.s_snmp_errno != 0 ? session.s_snmp_errno : SNMPERR_GENERR;
        session_.reset(handle);
        return SNMPERR_SUCCESS;
    }

    /// Names and keys of version 3; 0 or the library's error.
    int fill_security(netsnmp_session& session) {
        session.version = SNMP_VERSION_3;
        session.securityModel = SNMP_SEC_MODEL_USM;
        session.securityName = login_.username.data();
        session.securityNameLen = login_.username.size();
        session.securityLevel = SNMP_SEC_LEVEL_NOAUTH;
        if (login_.security == SnmpSecurity::NoAuthNoPriv) return 0;
        session.securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
        const int auth = usm_lookup_auth_type(protocol_name(login_.auth_protocol).c_str());
        session.securityAuthProto = sc_get_auth_oid(auth, &session.securityAuthProtoLen);
        session.securityAuthKeyLen = USM_AUTH_KU_LEN;
        int error = make_key(session, login_.auth_password, session.securityAuthKey,
                             session.securityAuthKeyLen);
        if (error == 0 && login_.security == SnmpSecurity::AuthPriv) {
            session.securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
            const int priv = usm_lookup_priv_type(protocol_name(login_.priv_protocol).c_str());
            session.securityPrivProto = sc_get_priv_oid(priv, &session.securityPrivProtoLen);
            session.securityPrivKeyLen = USM_PRIV_KU_LEN;
            error = make_key(session, login_.priv_password, session.securityPrivKey,
                             session.securityPrivKeyLen);
        }
        return error;
    }

    /// RFC 3414, A.2: a passphrase becomes a key, by the protocol of authentication: the digest of
    /// it written over and over for a mebibyte. The library's own generate_Ku() hands that out in
    /// pieces of 64 bytes and takes ten times as long, more than all else that is done here.
    static int make_key(const netsnmp_session& session, const std::string& password, u_char* key,
                        std::size_t& length) {
        constexpr std::size_t expanded = 1'048'576;
        constexpr std::size_t shortest = 8;  // RFC 3414, 11.2
        if (password.size() < shortest) return SNMPERR_GENERR;
        std::string text;
        text.reserve(expanded + password.size());
        while (text.size() < expanded) text += password;
        const int error =
            sc_hash(session.securityAuthProto, session.securityAuthProtoLen,
                    reinterpret_cast<const u_char*>(text.data()), expanded, key, &length);
        explicit_bzero(text.data(), text.size());
        return error;
    }

    /// Sends a request and waits for its answer.
    Answer ask(int command, const std::vector<Oid>& oids, std::optional<std::int64_t> value,
               Deadline deadline) {
        ensure_session(deadline);
        Answer answer;
        try {
            while (const int error = send(answer, command, oids, value, deadline)) {
                if (error == SNMPERR_TIMEOUT) check_delivery();
                if (error != SNMPERR_TIMEOUT && error != SNMPERR_UNKNOWN_ENG_ID) fail(error);
                if (deadline.passed(real_now().mono)) throw TimedOut(silence());
                // Others want the library, too.
                std::this_thread::sleep_for(Duration{2});
            }
            wait(answer, deadline);
        } catch (const Error&) {
            session_.reset();  // it holds on to `answer`
            throw;
        }
        if (answer.late) session_.reset();
        return answer;
    }

    /// Sends a request, after a question for the engine's identity where that is not known yet.
    /// Blocks at most for probe_time. The library's error; 0 when it is on its way.
    int send(Answer& answer, int command, const std::vector<Oid>& oids,
             std::optional<std::int64_t> value, Deadline deadline) {
        const std::lock_guard lock(library_mutex());
        netsnmp_session* own = snmp_sess_session(session_.get());
        const bool known = login_.version != SnmpVersion::V3 || own->securityEngineIDLen != 0;
        const Duration left = std::max(Duration{1}, deadline.remaining(real_now().mono));
        const Duration time = known ? ask_again : std::min(probe_time, left);
        own->timeout = std::chrono::microseconds(time).count();
        own->retries = 0;
        netsnmp_pdu* pdu = snmp_pdu_create(command);
        if (pdu == nullptr) throw SystemError("out of memory");
        for (const Oid& each : oids) {
            const std::vector<oid> name(each.begin(), each.end());
            if (value) {
                const long number = static_cast<long>(*value);
                snmp_pdu_add_variable(pdu, name.data(), name.size(), ASN_INTEGER, &number,
                                      sizeof number);
            } else {
                snmp_add_null_var(pdu, name.data(), name.size());
            }
        }
        answer.request = snmp_sess_async_send(session_.get(), pdu, take_answer, &answer);
        if (answer.request != 0) {
            own->retries = 1'000'000;  // the deadline ends it
            return 0;
        }
        int error = 0;
        snmp_sess_error(session_.get(), nullptr, &error, nullptr);
        snmp_free_pdu(pdu);
        return error != 0 ? error : SNMPERR_GENERR;
    }

    void wait(Answer& answer, Deadline deadline) {
        const int socket = snmp_sess_transport(session_.get())->sock;
        Instant again = real_now().mono + ask_again;
        bool knocked = false;
        while (!answer.over) {
            const Instant now = real_now().mono;
            if (deadline.passed(now)) {
                if (answer.report != 0) fail(answer.report);
                throw TimedOut(silence());
            }
            pollfd fd{socket, POLLIN, 0};
            const auto span = std::min(deadline.at, again) - now;
            const auto wait_ms = std::chrono::ceil<Duration>(span);
            poll(&fd, 1, static_cast<int>(std::clamp<Duration::rep>(wait_ms.count(), 0, 60'000)));
            if (!knocked && real_now().mono >= again) {
                check_delivery();
                knocked = true;
            }
            const std::lock_guard lock(library_mutex());
            if (fd.revents != 0) {
                netsnmp_large_fd_set ready;
                netsnmp_large_fd_set_init(&ready, FD_SETSIZE);
                netsnmp_large_fd_setfd(socket, &ready);
                snmp_sess_read2(session_.get(), &ready);
                netsnmp_large_fd_set_cleanup(&ready);
            }
            if (real_now().mono >= again) {
                snmp_sess_timeout(session_.get());
                again = real_now().mono + ask_again;
            }
        }
    }

    /// Of a silent device: throws Unreachable when the network says why it is silent.
    void check_delivery() const {
        if (const auto why = knock_udp(address_, discovery, knock_time))
            throw Unreachable(name_ + ": " + *why);
    }

    std::string silence() const {
        return name_ + (login_.version == SnmpVersion::V3
                            ? ": no answer"
                            : ": no answer (a wrong community looks the same)");
    }

    void check(const Answer& answer, const char* doing) const {
        if (answer.late) throw TimedOut(silence());
        if (answer.report != 0) fail(answer.report);
        const std::string text = name_ + ": " + doing + ": " +
                                 printable(snmp_errstring(static_cast<int>(answer.error)), 120);
        switch (answer.error) {
            case SNMP_ERR_NOERROR: return;
            case SNMP_ERR_NOACCESS:
            case SNMP_ERR_AUTHORIZATIONERROR:
            case SNMP_ERR_READONLY:
            case SNMP_ERR_NOTWRITABLE:
                throw Denied(name_ + ": " + doing + ": the user or community may not do that");
            case SNMP_ERR_NOSUCHNAME:
            case SNMP_ERR_NOCREATION:
                throw ProtocolError(name_ + ": " + doing +
                                    ": there is no such object, or it may "
                                    "not be written");
            default: throw ProtocolError(text);
        }
    }

    [[noreturn]] void fail(int error) const {
        switch (error) {
            case SNMPERR_TIMEOUT: throw TimedOut(silence());
            case SNMPERR_UNKNOWN_USER_NAME:
            case SNMPERR_USM_UNKNOWNSECURITYNAME: throw Denied(name_ + ": unknown user");
            case SNMPERR_AUTHENTICATION_FAILURE:
            case SNMPERR_USM_AUTHENTICATIONFAILURE:
                throw Denied(name_ + ": wrong password, or another protocol of authentication");
            case SNMPERR_UNSUPPORTED_SEC_LEVEL:
            case SNMPERR_USM_UNSUPPORTEDSECURITYLEVEL:
                throw Denied(name_ + ": the user may not have this security level");
            case SNMPERR_DECRYPTION_ERR:
            case SNMPERR_USM_DECRYPTIONERROR:
                throw Denied(name_ + ": wrong password or protocol of privacy");
            case SNMPERR_USM_ENCRYPTIONERROR:
                throw UsageError(name_ + ": this machine can't do the protocol of privacy");
            case SNMPERR_BAD_SENDTO:
            case SNMPERR_BAD_ADDRESS:
            case SNMPERR_NO_SOCKET: throw Unreachable(name_ + ": can't send there");
            default: throw ProtocolError(name_ + ": " + printable(snmp_api_errstring(error), 120));
        }
    }

    SnmpLogin login_;
    std::string name_;
    SocketAddress address_;
    std::unique_ptr<void, CloseSession> session_;
};

}  // namespace

bool knows_auth_protocol(const std::string& name) {
    const std::string word = protocol_name(name);
    return !word.empty() && word != "DES" && word != "AES" &&
           usm_lookup_auth_type(word.c_str()) >= 0;
}

bool knows_priv_protocol(const std::string& name) {
    const std::string word = protocol_name(name);
    return (word == "DES" || word == "AES") && usm_lookup_priv_type(word.c_str()) >= 0;
}

std::unique_ptr<Snmp> open_snmp(SnmpLogin login) {
    return std::make_unique<SnmpSession>(std::move(login));
}

}  // namespace domkeeper
