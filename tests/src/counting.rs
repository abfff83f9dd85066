//! An allocator that counts, for programs that look at what they cost. Each thread has counts of its own.
//!
//! The programs that the compiler's tests make of generated code include this file, too: it needs nothing but the standard
//! library.

#![allow(unsafe_code, reason = "an allocator is unsafe by nature; this one only counts, and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator. A program makes it its own with `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

/// What a thread has allocated.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// How often.
    pub allocations: usize,
    /// How many bytes it has allocated more than freed.
    pub bytes: isize,
    /// The most that this has been since [`watch`].
    pub bytes_max: isize,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, bytes: 0, bytes_max: 0 }) };
}

/// What this thread has allocated so far.
pub fn counts() -> Counts {
    COUNTS.get()
}

/// Looks for the most bytes anew, from here on. What this thread has allocated so far comes back.
pub fn watch() -> Counts {
    let now = counts();
    COUNTS.set(Counts { bytes_max: now.bytes, ..now });
    counts()
}

fn count(allocations: usize, bytes: isize) {
    let before = COUNTS.get();
    let bytes = before.bytes + bytes;
    let allocations = before.allocations + allocations;
    COUNTS.set(Counts { allocations, bytes, bytes_max: before.bytes_max.max(bytes) });
}

/// No layout is larger than the largest `isize`.
fn size(layout: Layout) -> isize {
    layout.size().cast_signed()
}

// SAFETY: every call is passed on to the system's allocator with the very same arguments. Counting allocates nothing:
// the thread's counts are constants until they are first written, and need no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, size(layout));
        // SAFETY: the caller keeps the contract of `alloc`, which is ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -size(layout));
        // SAFETY: the caller got this pointer from `alloc` above, that is from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}
