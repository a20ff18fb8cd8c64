// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/ipmi_session.hpp"

#include <freeipmi/freeipmi.h>

#include <algorithm>

#include "lib/core/error.hpp"

namespace domkeeper {
namespace {

struct FreeObject {
    void operator()(fiid_obj* object) const { fiid_obj_destroy(object); }
};
using Object = std::unique_ptr<fiid_obj, FreeObject>;

struct FreeContext {
    // Closes an open session first: waits one retransmission time for the answer, no longer.
    void operator()(ipmi_ctx* context) const { ipmi_ctx_destroy(context); }
};

}  // namespace

struct IpmiSession::Context {
    std::unique_ptr<ipmi_ctx, FreeContext> handle;
};

void prepare_ipmi() {
    static const int ready = ipmi_rmcpplus_init();
    if (ready < 0) throw SystemError("can't ready the cryptography that IPMI needs");
}

IpmiSession::IpmiSession() : context_(std::make_unique<Context>()) {
    context_->handle.reset(ipmi_ctx_create());
    if (!context_->handle) throw SystemError("no memory for an IPMI session");
}

IpmiSession::~IpmiSession() = default;

IpmiAnswer IpmiSession::answer(bool ok) const {
    if (ok) return {};
    ipmi_ctx_t handle = context_->handle.get();
    const int code = ipmi_ctx_errnum(handle);
    // An answer that comes twice while a session opens makes the library fail without an error.
    if (code == IPMI_ERR_SUCCESS)
        return {ipmi_confused, "answers were doubled or out of order", PowerState::Unknown};
    return {code, ipmi_ctx_errormsg(handle), PowerState::Unknown};
}

IpmiAnswer IpmiSession::open(const IpmiLogin& login, const IpmiManner& manner, Duration timeout) {
    // A lost packet costs 400 ms of a first session, not the library's second. A caller that tries
    // again allows more time: a BMC that takes longer to answer is asked twice, and the library
    // gives an opening session up when the second answer comes.
    const auto session_ms =
        static_cast<unsigned>(std::clamp<Duration::rep>(timeout.count(), 3, 60'000));
    const unsigned resend_ms = std::max(1U, session_ms / 5);
    ipmi_ctx_t handle = context_->handle.get();
    const auto privilege = static_cast<std::uint8_t>(manner.privilege);
    int done = 0;
    if (manner.version_2) {
        const unsigned char* k_g = login.k_g.empty() ? nullptr : login.k_g.data();
        done = ipmi_ctx_open_outofband_2_0(handle, login.endpoint.c_str(), login.username.c_str(),
                                           login.password.c_str(), k_g,
                                           static_cast<unsigned>(login.k_g.size()), privilege,
                                           static_cast<std::uint8_t>(manner.cipher), session_ms,
                                           resend_ms, manner.workarounds, IPMI_FLAGS_DEFAULT);
    } else {
        done = ipmi_ctx_open_outofband(
            handle, login.endpoint.c_str(), login.username.c_str(), login.password.c_str(),
            static_cast<std::uint8_t>(manner.authentication), privilege, session_ms, resend_ms,
            manner.workarounds, IPMI_FLAGS_DEFAULT);
    }
    if (done >= 0 && login.target) {
        std::uint8_t target = *login.target;
        done = ipmi_ctx_set_target(handle, nullptr, &target);
    }
    return answer(done >= 0);
}

IpmiAnswer IpmiSession::read_power() {
    ipmi_ctx_t handle = context_->handle.get();
    const Object reply(fiid_obj_create(tmpl_cmd_get_chassis_status_rs));
    if (!reply) throw SystemError("no memory for an IPMI answer");
    // The library has checked the completion code and that all required fields are there.
    if (ipmi_cmd_get_chassis_status(handle, reply.get()) < 0) return answer(false);
    std::uint64_t on = 2;
    IpmiAnswer out;
    // IPMI 2.0, table 28-3, current power state, bit 0: 1b power is on, 0b power is off.
    if (fiid_obj_get(reply.get(), "current_power_state.power_is_on", &on) == 1) {
        if (on == 1) out.state = PowerState::On;
        if (on == 0) out.state = PowerState::Off;
    }
    return out;
}

IpmiAnswer IpmiSession::control(PowerCommand command) {
    std::uint8_t code = IPMI_CHASSIS_CONTROL_POWER_DOWN;
    switch (command) {
        case PowerCommand::Off: code = IPMI_CHASSIS_CONTROL_POWER_DOWN; break;
        case PowerCommand::On: code = IPMI_CHASSIS_CONTROL_POWER_UP; break;
        case PowerCommand::Soft: code = IPMI_CHASSIS_CONTROL_INITIATE_SOFT_SHUTDOWN; break;
        case PowerCommand::Reset: code = IPMI_CHASSIS_CONTROL_HARD_RESET; break;
    }
    const Object reply(fiid_obj_create(tmpl_cmd_chassis_control_rs));
    if (!reply) throw SystemError("no memory for an IPMI answer");
    return answer(ipmi_cmd_chassis_control(context_->handle.get(), code, reply.get()) >= 0);
}

IpmiFailure judge_ipmi_code(int code) {
    switch (code) {
        case IPMI_ERR_SUCCESS: return IpmiFailure::None;
        case IPMI_ERR_CONNECTION_TIMEOUT:
        case IPMI_ERR_SESSION_TIMEOUT:
        case IPMI_ERR_DRIVER_TIMEOUT:
        case IPMI_ERR_MESSAGE_TIMEOUT: return IpmiFailure::Silence;
        case IPMI_ERR_USERNAME_INVALID:
        case IPMI_ERR_PASSWORD_INVALID:
        case IPMI_ERR_K_G_INVALID:
        case IPMI_ERR_PRIVILEGE_LEVEL_INSUFFICIENT:
        case IPMI_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED:
        case IPMI_ERR_PASSWORD_VERIFICATION_TIMEOUT: return IpmiFailure::Login;
        case IPMI_ERR_AUTHENTICATION_TYPE_UNAVAILABLE:
        case IPMI_ERR_CIPHER_SUITE_ID_UNAVAILABLE:
        case IPMI_ERR_IPMI_2_0_UNAVAILABLE: return IpmiFailure::Unsupported;
        case IPMI_ERR_SYSTEM_ERROR:
        case IPMI_ERR_OUT_OF_MEMORY:
        case IPMI_ERR_PERMISSION:
        case IPMI_ERR_HOSTNAME_INVALID:
        case IPMI_ERR_PARAMETERS:
        case IPMI_ERR_INTERNAL_ERROR: return IpmiFailure::Local;
        default: return IpmiFailure::Protocol;
    }
}

bool breaks_session(int code) {
    switch (code) {
        case IPMI_ERR_SUCCESS:
        case IPMI_ERR_PRIVILEGE_LEVEL_INSUFFICIENT:
        case IPMI_ERR_BMC_BUSY:
        case IPMI_ERR_BAD_COMPLETION_CODE:
        case IPMI_ERR_COMMAND_INVALID_OR_UNSUPPORTED:
        case IPMI_ERR_COMMAND_INVALID_FOR_SELECTED_INTERFACE:
        case IPMI_ERR_MESSAGE_TIMEOUT: return false;
        default: return true;
    }
}

}  // namespace domkeeper
