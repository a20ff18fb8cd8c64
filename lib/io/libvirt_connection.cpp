// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_connection.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "lib/core/uri.hpp"
#include "lib/io/bounded.hpp"

namespace domkeeper {

static_assert(std::is_same_v<virConnectPtr, _virConnect*>);
static_assert(std::is_same_v<virDomainPtr, _virDomain*>);

namespace {

constexpr Duration goodbye_time{250};

void ignore_error(void*, virErrorPtr) {}

/// libvirt is set up once a process, before its first connection.
void initialize(bool events) {
    static std::once_flag library_ready;
    static std::once_flag loop_runs;
    std::call_once(library_ready, [] {
        virInitialize();
        // It would print every error on stderr, URI and all.
        virSetErrorFunc(nullptr, ignore_error);
    });
    if (!events) return;
    std::call_once(loop_runs, [] {
        if (virEventRegisterDefaultImpl() != 0) return;
        spawn_detached([] {
            while (virEventRunDefaultImpl() == 0) {
            }
        });
    });
}

struct Failure {
    int code = VIR_ERR_OK;
    int domain = 0;
    int system_error = 0;
    std::string message;
};

Failure last_failure() {
    const virError* const error = virGetLastError();
    if (error == nullptr) return {VIR_ERR_OK, 0, 0, "unknown error"};
    // int1 carries errno for errors of the system.
    return {error->code, error->domain, error->code == VIR_ERR_SYSTEM_ERROR ? error->int1 : 0,
            error->message == nullptr ? "unknown error" : error->message};
}

enum class Meaning { Nobody, Late, Refused, Wrong };

/// While a connection is opened every failure of the system or the transport is one of the way
/// there; later the same codes tell of the far side's own files and programs.
Meaning meaning_of(const Failure& failure, bool opening) {
    switch (failure.code) {
        case VIR_ERR_AUTH_FAILED:
        case VIR_ERR_AUTH_CANCELLED:
        case VIR_ERR_AUTH_UNAVAILABLE:
        case VIR_ERR_ACCESS_DENIED:
        case VIR_ERR_OPERATION_DENIED: return Meaning::Refused;
        case VIR_ERR_SYSTEM_ERROR:
            if (!opening) return Meaning::Wrong;
            return failure.system_error == EACCES || failure.system_error == EPERM
                       ? Meaning::Refused
                       : Meaning::Nobody;
        case VIR_ERR_UNKNOWN_HOST:
        case VIR_ERR_NO_CONNECT:
        case VIR_ERR_GNUTLS_ERROR:
        case VIR_ERR_SSH:
        case VIR_ERR_LIBSSH: return Meaning::Nobody;
        case VIR_ERR_OPERATION_TIMEOUT: return Meaning::Late;
        default: break;  // an int of libvirt's: new values come with new versions
    }
    // A reset or a closed socket during the opening comes under many codes.
    return opening && failure.domain == VIR_FROM_RPC ? Meaning::Nobody : Meaning::Wrong;
}

[[noreturn]] void raise(const Failure& failure, bool opening, const std::string& text) {
    switch (meaning_of(failure, opening)) {
        case Meaning::Nobody: throw Unreachable(text);
        case Meaning::Late: throw TimedOut(text);
        case Meaning::Refused: throw Denied(text);
        case Meaning::Wrong: break;
    }
    throw ProtocolError(text);
}

std::string describe(const std::string& uri, const std::string& doing, const Failure& failure) {
    return shown_uri(uri) + ": " + doing + ": " + without_secrets(failure.message, uri);
}

}  // namespace

std::shared_ptr<LibvirtConnection> LibvirtConnection::open(const std::string& uri,
                                                           LibvirtOptions options) {
    initialize(options.keepalive);
    // Nobody sits at a monitor's terminal to type a password.
    const std::string target = uri_uses_ssh(uri) ? with_uri_parameter(uri, "no_tty=1") : uri;
    const virConnectPtr handle =
        options.read_only ? virConnectOpenReadOnly(target.c_str()) : virConnectOpen(target.c_str());
    if (handle == nullptr) {
        const Failure failure = last_failure();
        raise(failure, true, describe(uri, "can't connect", failure));
    }
    const std::shared_ptr<LibvirtConnection> connection(new LibvirtConnection(uri, handle));
    // Local drivers have no keepalive; without it the deadlines still hold.
    if (options.keepalive)
        virConnectSetKeepAlive(handle, std::max(options.keepalive_seconds, 1), 3);
    return connection;
}

LibvirtConnection::LibvirtConnection(std::string uri, _virConnect* handle)
    : uri_(std::move(uri)), shown_(shown_uri(uri_)), handle_(handle) {}

LibvirtConnection::~LibvirtConnection() {
    const auto close = [handle = handle_] { return virConnectClose(handle); };
    try {
        if (abandoned_ || !alive())
            spawn_detached(close);
        else
            run_bounded("closing", Deadline{mono_now() + goodbye_time}, close);
    } catch (const Error&) {
        // The process ends without goodbye, or the thread left behind says it later.
    }
}

bool LibvirtConnection::alive() const {
    return virConnectIsAlive(handle_) != 0;
}

void LibvirtConnection::abandon() {
    abandoned_ = true;
}

void LibvirtConnection::fail(const std::string& doing) const {
    const Failure failure = last_failure();
    const std::string text = describe(uri_, doing, failure);
    if (!alive()) throw ConnectionLost(text);
    raise(failure, false, text);
}

void LibvirtConnection::tolerate(const std::string& doing) const {
    const Failure failure = last_failure();
    if (!alive()) throw ConnectionLost(describe(uri_, doing, failure));
}

bool LibvirtConnection::last_call_unsupported() {
    const int code = last_failure().code;
    return code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_OPERATION_UNSUPPORTED ||
           code == VIR_ERR_ARGUMENT_UNSUPPORTED;
}

bool LibvirtConnection::last_domain_missing() {
    return last_failure().code == VIR_ERR_NO_DOMAIN;
}

bool LibvirtConnection::last_agent_silent() {
    const auto code = last_failure().code;
    return code == VIR_ERR_AGENT_UNRESPONSIVE || code == VIR_ERR_AGENT_UNSYNCED;
}

LibvirtConnection::Domain LibvirtConnection::own(
    const std::shared_ptr<LibvirtConnection>& connection, _virDomain* domain) {
    return Domain(domain, [connection](_virDomain* handle) { virDomainFree(handle); });
}

}  // namespace domkeeper
