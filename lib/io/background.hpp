// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "lib/core/time.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {

namespace background {
/// What caller and thread share: a descriptor that becomes readable when the work is done.
struct Signal {
    Signal();
    void raise();
    UniqueFd fd;
    std::atomic<bool> done = false;
};
bool wait(const Signal& signal, Deadline deadline);
}  // namespace background

/// One call into a library that may block without bound, in a thread of its own, so that the
/// caller can leave at its deadline. A call that is left runs on by itself: what it uses must be
/// its own or shared.
template <typename T>
class Background {
  public:
    /// Starts at once. Throws SystemError.
    explicit Background(std::function<T()> work) : state_(std::make_shared<State>()) {
        spawn_detached([state = state_, call = std::move(work)]() mutable {
            try {
                state->value.emplace(call());
            } catch (...) {
                state->error = std::current_exception();
            }
            // What the call owns must be gone before anybody hears that it is over.
            call = nullptr;
            state->signal.raise();
        });
    }

    /// Becomes readable when the call is over; for poll(2).
    int fd() const { return state_->signal.fd.get(); }
    bool done() const { return state_->signal.done; }
    /// True when it is over by the deadline.
    bool wait(Deadline deadline) const { return background::wait(state_->signal, deadline); }
    /// Its result, or what it threw. Only when done(), and once.
    T take() {
        if (state_->error) std::rethrow_exception(state_->error);
        return std::move(*state_->value);
    }

  private:
    struct State {
        background::Signal signal;
        std::optional<T> value;
        std::exception_ptr error;
    };
    std::shared_ptr<State> state_;
};

}  // namespace domkeeper
