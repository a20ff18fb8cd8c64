// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole user space of a lab guest. Each second it appends a record to its disk with O_DIRECT,
// and goes on from the last record it finds there. It is a program and no script since guests run
// under emulation, where every fork is dear: six scripts took most of a processor.
//
// Disk, in sectors of 512 bytes, each a line of text filled up with NUL:
//   0      head: a copy of the newest record
//   1..63  marks: "TWO-WRITERS ..." when what was read back is not what this guest wrote
//   64..   records "DK1 COUNTER BOOT-ID GUEST-TIME UPTIME"; record C is in slot C % (sectors - 64)

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

constexpr int kSector = 512;
constexpr uint64_t kFirstRecord = 64;

struct alignas(kSector) Sector {
    char text[kSector];
    bool operator==(const Sector& other) const { return memcmp(text, other.text, kSector) == 0; }
};

void say(const char* format, ...) {
    char line[700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    if (write(STDOUT_FILENO, line, strlen(line)) < 0) return;
}

double uptime() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Loads the modules in the order that the lab wrote down.
void load_modules() {
    FILE* order = fopen("/lib/modules/order", "r");
    char name[100];
    while (order != nullptr && fscanf(order, "%99s", name) == 1) {
        char path[130];
        snprintf(path, sizeof path, "/lib/modules/%s", name);
        const int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || syscall(SYS_finit_module, file, "", 0) != 0) say("NO-MODULE %s", name);
        if (file >= 0) close(file);
    }
    if (order != nullptr) fclose(order);
}

class Disk {
  public:
    /// Waits for the guest's one disk: vda in QEMU, xvda in Xen.
    Disk() {
        for (;; usleep(5000))
            for (const char* path : {"/dev/vda", "/dev/xvda"})
                if ((file_ = open(path, O_RDWR | O_DIRECT | O_SYNC | O_CLOEXEC)) >= 0) {
                    measure();
                    return;
                }
    }
    uint64_t place(uint64_t counter) const { return kFirstRecord + counter % ring_; }
    bool read(uint64_t place, Sector& sector) const {
        return pread(file_, sector.text, kSector, static_cast<off_t>(place * kSector)) == kSector;
    }
    bool write(uint64_t place, const Sector& sector) const {
        return pwrite(file_, sector.text, kSector, static_cast<off_t>(place * kSector)) == kSector;
    }

  private:
    void measure() {
        uint64_t bytes = 0;
        ioctl(file_, BLKGETSIZE64, &bytes);
        ring_ = bytes / kSector - kFirstRecord;
    }

    int file_ = -1;
    uint64_t ring_ = 1;
};

/// In a process of its own, as QEMU's guest agent would: answers whoever asks whether it is there.
/// Only in guests with a channel for it.
void answer_as_agent() {
    int port = -1;
    for (const char* path : {"/dev/vport0p1", "/dev/vport1p1", "/dev/vport2p1"})
        if (port < 0) port = open(path, O_RDWR | O_CLOEXEC);
    if (port < 0 || fork() != 0) return;
    char text[1000];
    size_t filled = 0;
    for (;;) {
        const ssize_t got = read(port, text + filled, sizeof text - 1 - filled);
        // Nobody has the other end open.
        if (got <= 0) {
            usleep(100'000);
            continue;
        }
        filled += static_cast<size_t>(got);
        text[filled] = 0;
        if (strchr(text, '\n') == nullptr && filled < sizeof text - 1) continue;
        char reply[100] = "{\"return\": {}}\n";
        const char* id = strstr(text, "\"id\"");
        if (strstr(text, "guest-sync") != nullptr && id != nullptr)
            snprintf(reply, sizeof reply, "{\"return\": %llu}\n",
                     strtoull(id + strcspn(id, "0123456789"), nullptr, 10));
        if (write(port, reply, strlen(reply)) < 0) usleep(100'000);
        filled = 0;
    }
}

/// The counter of a record, 0 when the sector holds none.
uint64_t counter_of(const Sector& sector) {
    if (strncmp(sector.text, "DK1 ", 4) != 0) return 0;
    return strtoull(sector.text + 4, nullptr, 10);
}

/// The last counter on the disk. The head is written after the record, so a guest that died between
/// the two left a record beyond its head.
uint64_t last_counter(const Disk& disk) {
    Sector sector{};
    while (!disk.read(0, sector)) sleep(1);
    uint64_t counter = counter_of(sector);
    while (disk.read(disk.place(counter + 1), sector) && counter_of(sector) == counter + 1)
        ++counter;
    return counter;
}

void check_written(const Disk& disk, uint64_t counter, const Sector& wrote, const char* boot) {
    for (const uint64_t place : {uint64_t{0}, disk.place(counter)}) {
        Sector seen{};
        if (!disk.read(place, seen))
            say("READ-ERROR %llu", static_cast<unsigned long long>(place));
        else if (!(seen == wrote)) {
            Sector mark{};
            snprintf(mark.text, kSector - 1, "TWO-WRITERS %s at %llu read: %.200s", boot,
                     static_cast<unsigned long long>(counter), seen.text);
            say("%s", mark.text);
            disk.write(1 + counter % (kFirstRecord - 1), mark);
        }
    }
}

[[noreturn]] void keep_writing(const Disk& disk, uint64_t counter, const char* boot) {
    timespec next{};
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (;;) {
        Sector record{};
        snprintf(record.text, kSector - 1, "DK1 %llu %s %lld %.2f\n",
                 static_cast<unsigned long long>(counter + 1), boot,
                 static_cast<long long>(time(nullptr)), uptime());
        const bool wrote = disk.write(disk.place(counter + 1), record) && disk.write(0, record);
        if (wrote) ++counter;
        say("%s %llu %.2f", wrote ? "WROTE" : "WRITE-ERROR",
            static_cast<unsigned long long>(counter), uptime());
        ++next.tv_sec;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr);
        if (wrote) check_written(disk, counter, record, boot);
    }
}

}  // namespace

int main() {
    mount("proc", "/proc", "proc", 0, nullptr);
    mount("dev", "/dev", "devtmpfs", 0, nullptr);
    const int console = open("/dev/console", O_RDWR);
    if (console >= 0) dup2(console, STDOUT_FILENO);
    load_modules();
    answer_as_agent();
    const Disk disk;
    char boot[40] = "?";
    FILE* id = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (id == nullptr || fscanf(id, "%36s", boot) != 1) say("NO-BOOT-ID");
    const uint64_t counter = last_counter(disk);
    say("GUEST-UP boot=%s uptime=%.2f counter=%llu", boot, uptime(),
        static_cast<unsigned long long>(counter));
    keep_writing(disk, counter, boot);
}
