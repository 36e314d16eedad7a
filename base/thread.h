// What a thread tells the kernel about itself.
#pragma once

namespace carillon {

/// For each thread to call first. Names it as top and gdb show it, in at most 15 bytes, and
/// allocates once: jemalloc 5.3 crashes in a thread whose first allocation fails, and reports later
/// failures as it should.
void begin_thread(const char* name);

/// Asks the kernel to let the calling thread run soon after it has something to do, rather than
/// long. Threads that it starts later are not meant by that.
///
/// Beside busy neighbours a thread that wakes up waits until one of them has used its slice up,
/// some 3 ms; one that asks for short slices comes first, and gets no more of the processor in all
/// (EEVDF, Linux 6.12: Documentation/scheduler/sched-eevdf.rst). Older kernels pay no heed.
void ask_for_short_slices();

/// Has the kernel give the calling thread less of a busy processor than others.
void yield_to_others();

}  // namespace carillon
