//! Inputs: files, and `-` for the standard input.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

use magen::FileError;

/// Whether `input` is `-`.
pub(crate) fn is_stdin(input: &Path) -> bool {
    input == OsStr::new("-")
}

/// What messages call it.
pub(crate) fn name(input: &Path) -> String {
    if is_stdin(input) { "<stdin>".into() } else { input.display().to_string() }
}

/// Its bytes, up to what a source may have and one more.
pub(crate) fn read(input: &Path) -> Result<Vec<u8>, FileError> {
    let read =
        if is_stdin(input) { magen::read(io::stdin()) } else { File::open(input).and_then(magen::read) };
    read.map_err(|error| FileError::Read { path: name(input).into(), error })
}
