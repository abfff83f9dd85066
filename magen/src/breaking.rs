//! What keeps an older and a newer build of an interface from talking to each other.
//!
//! The rules are those by which two running ends refuse each other: whatever the fingerprint or the lineage of an interface
//! covers must stay as it was, and what is new must say so with `[MinVersion=n]`, newer than all there was.
//!
//! ```
//! use magen::breaking::{self, BreakKind, Source};
//!
//! let old = Source::text("old.magen", "interface Logger { Log(string text); }");
//! let new = Source::text("new.magen", "interface Logger { Log(bytes text); }");
//! let breaks = breaking::compare(&old, &new)?;
//! assert_eq!(breaks.iter().next().unwrap().kind(), BreakKind::ChangedType);
//! assert!(breaks.to_string().contains("new.magen:1:24"));
//! # Ok::<(), magen::CompileError>(())
//! ```

mod compare;
mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use report::{Break, BreakKind, Breaks};

use crate::error::{CompileError, FileError};
use crate::loader::{Files, Sources};

/// One file of one build, with what it imports.
#[derive(Debug)]
pub struct Source {
    sources: Sources,
}

/// The `.magen` files of one revision, held in memory.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    revision: String,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Tree {
    /// No files yet. The name of the revision is put before those of the files where they are shown.
    pub fn new(revision: impl Into<String>) -> Self {
        Self { revision: revision.into(), files: BTreeMap::new() }
    }

    /// Adds a file, by its path from the root of the tree.
    pub fn insert(&mut self, path: impl Into<PathBuf>, text: Vec<u8>) {
        self.files.insert(path.into(), text);
    }

    /// The name of the revision.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The paths of the files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }
}

impl Source {
    /// A file on disk.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn file(path: impl AsRef<Path>) -> Result<Self, CompileError> {
        Self::read(&Files::Disk, path.as_ref())
    }

    /// A file of a revision.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn in_tree(tree: &Tree, path: impl AsRef<Path>) -> Result<Self, CompileError> {
        Self::read(&Files::Tree(&tree.files, &tree.revision), path.as_ref())
    }

    /// A text, which can import nothing.
    pub fn text(name: &str, text: impl Into<Vec<u8>>) -> Self {
        Self { sources: Sources::from_text(name, text.into()) }
    }

    fn read(files: &Files<'_>, path: &Path) -> Result<Self, CompileError> {
        let sources = Sources::from_files(files, path);
        let sources = sources.map_err(|error| FileError::Read { path: path.to_owned(), error })?;
        Ok(Self { sources })
    }
}

/// Everything in `new` that a build from `old` would refuse, in the order of the old declarations.
///
/// # Errors
/// Everything that is wrong with one of the two.
pub fn compare(old: &Source, new: &Source) -> Result<Breaks, CompileError> {
    let both = old.sources.check(|old| new.sources.check(|new| compare::compare(old, new)));
    both.and_then(|breaks| breaks).map_err(CompileError::from)
}
