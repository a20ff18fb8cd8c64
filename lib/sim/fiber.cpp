// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <array>
#include <boost/context/fiber.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "lib/core/error.hpp"

// Of AddressSanitizer, which must be told of each change of stacks; not there without it
// (sanitizer/common_interface_defs.h).
extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom,
                                                  std::size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom,
                                                   std::size_t* size);
}

namespace domkeeper {
namespace {

constexpr std::size_t page_size = 4'096;

/// What the C++ runtime remembers of exceptions that are being handled, for each thread: two words
/// (Itanium C++ ABI, 2.2.2 "Caught exception stack"). Each fiber has its own, since it may be
/// suspended inside a handler.
using Exceptions = std::array<std::byte, 2 * sizeof(void*)>;

void exchange_exceptions(Exceptions& stored) {
    Exceptions now{};
    void* const globals = abi::__cxa_get_globals();
    std::memcpy(now.data(), globals, now.size());
    std::memcpy(globals, stored.data(), stored.size());
    stored = now;
}

/// One side of a change of stacks.
struct Side {
    boost::context::fiber rest;  ///< what it goes on with; empty while it runs
    const void* bottom = nullptr;
    std::size_t size = 0;
    void* fake_stack = nullptr;  ///< AddressSanitizer's
};

/// `for_good`: nobody comes back to `from`.
void announce_leaving(Side& from, const Side& to, bool for_good = false) {
    if (__sanitizer_start_switch_fiber != nullptr)
        __sanitizer_start_switch_fiber(for_good ? nullptr : &from.fake_stack, to.bottom, to.size);
}

/// `came_from` learns where its stack is: of the thread's own only this tells.
void announce_arrival(const Side& here, Side& came_from) {
    if (__sanitizer_finish_switch_fiber != nullptr)
        __sanitizer_finish_switch_fiber(here.fake_stack, &came_from.bottom, &came_from.size);
}

/// Boost's form of where a stack comes from, for one that was taken already.
struct TakenStack {
    std::byte* stack;

    boost::context::stack_context allocate() const {
        boost::context::stack_context context;
        context.size = Stacks::size;
        context.sp = stack + Stacks::size;
        return context;
    }
    // Boost calls it while the fiber's last call still stands on it: whoever took it gives it back.
    void deallocate(boost::context::stack_context& /*context*/) const {}
};

}  // namespace

Stacks::~Stacks() {
    for (std::byte* const stack : all_) munmap(stack - page_size, page_size + size);
}

std::byte* Stacks::take() {
    if (!free_.empty()) {
        std::byte* const stack = free_.back();
        free_.pop_back();
        return stack;
    }
    void* const memory = mmap(nullptr, page_size + size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        throw SystemError(std::string("no memory for a stack: ") + std::strerror(errno));
    all_.push_back(static_cast<std::byte*>(memory) + page_size);
    if (mprotect(memory, page_size, PROT_NONE) != 0)
        throw SystemError(std::string("the guard page of a stack: ") + std::strerror(errno));
    return all_.back();
}

struct Fiber::State {
    State(Stacks& from, std::function<void()> what)
        : body(std::move(what)), stacks(from), stack(from.take()) {
        inside.bottom = stack;
        inside.size = Stacks::size;
        inside.rest = boost::context::fiber(std::allocator_arg, TakenStack{stack},
                                            [this](boost::context::fiber&& caller) {
                                                outside.rest = std::move(caller);
                                                announce_arrival(inside, outside);
                                                body();
                                                exchange_exceptions(exceptions);
                                                announce_leaving(inside, outside, true);
                                                return std::move(outside.rest);
                                            });
    }
    ~State() { stacks.give_back(stack); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// From one side to the other, and back when that comes back.
    void go(Side& from, Side& to) {
        exchange_exceptions(exceptions);
        announce_leaving(from, to);
        to.rest = std::move(to.rest).resume();
        announce_arrival(from, to);
    }

    std::function<void()> body;
    Stacks& stacks;
    std::byte* stack;
    Side inside, outside;
    Exceptions exceptions{};  ///< of the side that does not run
};

Fiber::Fiber(Stacks& stacks, std::function<void()> body)
    : state_(std::make_unique<State>(stacks, std::move(body))) {}

Fiber::~Fiber() = default;

void Fiber::resume() {
    state_->go(state_->outside, state_->inside);
}

void Fiber::suspend() {
    state_->go(state_->inside, state_->outside);
}

}  // namespace domkeeper
