// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/maintenance.hpp"

namespace domkeeper {

SidesVerdict judge_sides(SideState from, SideState to, bool from_off, bool to_off) {
    // The target may have let it run for a moment before it died, so that the memory which stands
    // still at the source no longer fits the disks: only a start from the disks is safe then.
    if (from == SideState::Half && !from_off && to_off) return SidesVerdict::CleanSource;
    if (from_off) from = SideState::Absent;
    if (to_off) to = SideState::Absent;
    switch (from) {
        case SideState::Active:
            switch (to) {
                case SideState::Active:
                case SideState::Busy: return SidesVerdict::Twice;
                case SideState::Half: return SidesVerdict::CleanTarget;
                // A copy at a target that can't be seen never ran: it would have stopped this one.
                case SideState::Absent:
                case SideState::Unreachable: return SidesVerdict::AtSource;
            }
            break;
        case SideState::Busy: return SidesVerdict::AbortAtSource;
        case SideState::Half:
            switch (to) {
                case SideState::Active:
                case SideState::Busy: return SidesVerdict::CleanSource;
                case SideState::Half: return SidesVerdict::CleanTarget;
                case SideState::Absent: return SidesVerdict::ResumeSource;
                case SideState::Unreachable: return SidesVerdict::Wait;
            }
            break;
        case SideState::Absent:
            switch (to) {
                case SideState::Active:
                case SideState::Busy: return SidesVerdict::AtTarget;
                // Without its source the copy can't come to its end; with the source's host off
                // that is certain, else somebody may still be about to let it run.
                case SideState::Half:
                    return from_off ? SidesVerdict::CleanTarget : SidesVerdict::Wait;
                case SideState::Absent:
                    return to_off && !from_off ? SidesVerdict::TakenAtTarget
                                               : SidesVerdict::Nowhere;
                case SideState::Unreachable: return SidesVerdict::TakenAtTarget;
            }
            break;
        case SideState::Unreachable:
            // It runs there: whatever the source still has stands still since then.
            return to == SideState::Active || to == SideState::Busy ? SidesVerdict::AtTarget
                                                                    : SidesVerdict::Wait;
    }
    return SidesVerdict::Wait;
}

}  // namespace domkeeper
