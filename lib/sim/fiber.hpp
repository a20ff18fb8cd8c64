// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace domkeeper {

/// Stacks of fibers, kept for the next ones: to ask the kernel for one takes longer than most
/// fibers need it. Each is as large as the others, with a page below it that nobody may touch.
class Stacks {
  public:
    /// Of each; only what was touched takes memory.
    static constexpr std::size_t size = std::size_t{1} << 20;

    Stacks() = default;
    ~Stacks();
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;

    /// The lower end of a free one. Throws SystemError when there is no memory.
    std::byte* take();
    void give_back(std::byte* stack) { free_.push_back(stack); }

  private:
    std::vector<std::byte*> all_;
    std::vector<std::byte*> free_;
};

/// A thread of control that runs only between resume() and suspend(): what a real thread does that
/// hands its turn over, without the kernel, which would take longer than most turns. All fibers of
/// a thread stay on that thread.
class Fiber {
  public:
    /// Runs nothing yet. `body` must let no exception out. `stacks` must outlive the fiber.
    Fiber(Stacks& stacks, std::function<void()> body);
    /// The body must have ended.
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    /// Runs the body until it calls suspend() or ends. Called from outside of it, and not after its
    /// end.
    void resume();
    /// Goes back to where resume() was called. Called from inside of the body.
    void suspend();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace domkeeper
