//! Files that travel, and descriptors that are counted.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;

/// A descriptor whose file holds `text`.
///
/// # Panics
/// If it cannot be made.
pub fn file_of(text: &str) -> OwnedFd {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::memfd_create("text", flags).expect("a file in memory"));
    file.write_all(text.as_bytes()).expect("it can be written");
    file.into()
}

/// What the file of a descriptor holds.
///
/// # Panics
/// If it cannot be read.
pub fn text_in(handle: OwnedFd) -> String {
    let mut file = File::from(handle);
    let mut text = String::new();
    file.rewind().expect("a file in memory");
    file.read_to_string(&mut text).expect("it can be read");
    text
}

/// The descriptors that this process has open.
///
/// # Panics
/// If they cannot be counted.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("the process file system").count()
}
