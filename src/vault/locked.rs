//! Memory for keys: one page outside the heap, locked into RAM, left out of core dumps
//! and overwritten before it is given back.
//!
//! The only unsafe code of the vault, with the call that trims the heap. `mmap` returns fresh zeroed memory that nothing
//! else refers to; the pointer and `LEN` never change between `new` and `drop`; the
//! slices handed out borrow `self`, so Rust's rules on aliasing hold; `munmap` runs once.
#![allow(unsafe_code)]

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};
use std::ptr::NonNull;
use zeroize::Zeroize;

/// Bytes in a page of keys.
pub(super) const LEN: usize = 4096;

/// A locked page. `Debug` shows nothing of it.
pub(super) struct LockedPage {
    start: NonNull<u8>,
    locked: bool,
}

// SAFETY: the page is owned by this value alone, like the memory of a `Box<[u8]>`.
unsafe impl Send for LockedPage {}
// SAFETY: shared references only read.
unsafe impl Sync for LockedPage {}

impl LockedPage {
    /// A zeroed page. Locking into RAM is best effort: the system's limit may forbid it.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn new() -> std::io::Result<Self> {
        // SAFETY: an anonymous private mapping at an address the kernel chooses touches
        // no memory in use; LEN is not zero.
        let start = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                LEN,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )?
        };
        let Some(start_byte) = NonNull::new(start.cast::<u8>()) else {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        };
        // SAFETY: both act on exactly the mapping made above; neither changes contents.
        let locked = unsafe {
            #[cfg(target_os = "linux")]
            let _ = madvise(start, LEN, Advice::LinuxDontDump);
            mlock(start, LEN).is_ok()
        };
        Ok(Self {
            start: start_byte,
            locked,
        })
    }

    /// Whether the page cannot be swapped out.
    pub(super) fn is_locked(&self) -> bool {
        self.locked
    }

    pub(super) fn bytes(&self) -> &[u8; LEN] {
        // SAFETY: the mapping is LEN readable, initialised bytes and lives as long as self.
        unsafe { &*self.start.as_ptr().cast::<[u8; LEN]>() }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; LEN] {
        // SAFETY: as in `bytes`, and `&mut self` makes this the only reference.
        unsafe { &mut *self.start.as_ptr().cast::<[u8; LEN]>() }
    }
}

impl Drop for LockedPage {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        // SAFETY: the mapping was made in `new` with this length and is not used again.
        // Unmapping also unlocks.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), LEN) };
    }
}

/// Gives freed memory back to the system, where the allocator keeps it otherwise.
pub(super) fn trim_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: glibc's function of this signature; it takes the allocator's own locks
        // and touches only memory that is free.
        unsafe { malloc_trim(0) };
    }
}

/// Keeps the allocator to two arenas. glibc makes eight a core otherwise, and what each
/// once held stays with the process: a daemon that works in bursts would keep all of it.
pub(super) fn limit_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
        }
        /// `M_ARENA_MAX` of malloc.h.
        const ARENA_MAX: std::ffi::c_int = -8;
        // SAFETY: glibc's function of this signature; it sets a parameter of the allocator
        // under its own lock and touches no memory of ours.
        unsafe { mallopt(ARENA_MAX, 2) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_what_is_written() {
        let mut page = LockedPage::new().expect("memory");
        assert!(page.bytes().iter().all(|b| *b == 0));
        page.bytes_mut()[LEN - 1] = 7;
        assert_eq!(page.bytes()[LEN - 1], 7);
    }
}
