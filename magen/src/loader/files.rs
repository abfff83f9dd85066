//! Where the texts of files come from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::read;

/// Texts that are not on the disk, or newer than what is there, by the paths of their files: what an editor has open. The paths
/// are those that [`canonical`](crate::editor::canonical) gives.
pub type Unsaved = BTreeMap<PathBuf, String>;

/// Where files are.
pub(crate) enum Files<'a> {
    Disk,
    /// On the disk, except those that an editor has open.
    Unsaved(&'a Unsaved),
    /// In memory, such as those of a revision, whose name is put before theirs.
    Tree(&'a BTreeMap<PathBuf, Vec<u8>>, &'a str),
}

impl Files<'_> {
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self {
            Self::Disk => fs::File::open(path).and_then(read),
            Self::Unsaved(texts) => match texts.get(&on_disk(path)) {
                Some(text) => read(text.as_bytes()),
                None => fs::File::open(path).and_then(read),
            },
            Self::Tree(files, _) => {
                files.get(&self.identity(path)).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        }
    }

    /// What diagnostics call the file.
    pub(super) fn name(&self, path: &Path) -> String {
        match self {
            Self::Disk | Self::Unsaved(_) => path.display().to_string(),
            Self::Tree(_, revision) => format!("{revision}:{}", path.display()),
        }
    }

    /// One path for one file, however it is reached.
    pub(super) fn identity(&self, path: &Path) -> PathBuf {
        if let Self::Disk | Self::Unsaved(_) = self {
            return on_disk(path);
        }
        let mut plain = PathBuf::new();
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => _ = plain.pop(),
                other => plain.push(other),
            }
        }
        plain
    }
}

/// One path for one file on the disk, however it is reached.
pub(crate) fn on_disk(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
