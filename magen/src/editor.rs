//! What an editor asks about `.magen` files: what is wrong, what stands where, what could stand there.
//!
//! Places are ranges of bytes. Files may be open in the editor and not saved; faulty files are understood as far as they
//! can be.
//!
//! ```
//! use std::path::{Path, PathBuf};
//! use magen::editor::{Analysis, Unsaved};
//!
//! let path = PathBuf::from("logger.magen");
//! let text = "interface Logger { Log(Level level); }\nenum Level { LOW, HIGH }\n";
//! let unsaved = Unsaved::from([(path.clone(), text.to_owned())]);
//! let analysis = Analysis::new(&path, &unsaved)?;
//! let symbol = analysis.symbol_at(text.find("Level level").unwrap()).unwrap();
//! assert_eq!(&text[symbol.definition().range.clone()], "Level");
//! assert_eq!(symbol.definition().range.start, text.find("Level {").unwrap());
//! # Ok::<(), std::io::Error>(())
//! ```

mod completion;
mod index;
mod outline;
mod signature;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
pub use crate::loader::Unsaved;
use crate::loader::{Files, Sources, on_disk};

pub use completion::Completion;
pub use index::{Symbol, SymbolKind};
pub use outline::{Outlined, Piece};

use index::Index;

/// A range of bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Its bytes.
    pub range: Range<usize>,
}

/// A file and everything that it imports, read.
#[derive(Debug)]
pub struct Analysis {
    sources: Sources,
}

impl Analysis {
    /// Reads the file at `path` and what it imports, from `unsaved` or else from the disk.
    ///
    /// # Errors
    /// If the file cannot be read. That one cannot that is imported is a fault of the file that imports it.
    pub fn new(path: &Path, unsaved: &Unsaved) -> io::Result<Self> {
        Sources::from_files(&Files::Unsaved(unsaved), path).map(|sources| Self { sources })
    }

    /// Everything that is wrong with the file or with what it imports, file by file. What imports a faulty file is not
    /// looked into any further.
    pub fn diagnostics(&self) -> Vec<Diagnostics> {
        self.sources.check(|_| ()).err().unwrap_or_default()
    }

    /// The files that were read: the file itself, and then what it imports.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().filter_map(|source| source.path.as_deref())
    }

    /// What is named at this byte of the file, or just before it.
    pub fn symbol_at(&self, offset: usize) -> Option<Symbol> {
        Index::new(&self.sources).symbol_at(offset)
    }

    /// The names in the file that mean what is defined at `definition`, its definition among them.
    pub fn occurrences(&self, definition: &Place) -> Vec<Range<usize>> {
        Index::new(&self.sources).occurrences(definition)
    }

    /// The name of the module that the file says it is.
    pub fn module(&self) -> Option<String> {
        let index = Index::new(&self.sources);
        index.first().and_then(|(_, file)| file.module).map(|name| name.text.to_owned())
    }

    /// What the file declares, in order.
    pub fn outline(&self) -> Vec<Outlined> {
        outline::outline(&Index::new(&self.sources))
    }

    /// What could be written at this byte of the file. What is there of a word already is not looked at.
    pub fn completions(&self, offset: usize) -> Vec<Completion> {
        completion::completions(&self.sources, offset)
    }
}

/// Whether something can be called `name`: whether it is a name of the language, and no longer than names may be.
pub fn is_name(name: &str) -> bool {
    let is_first = |letter: char| letter.is_ascii_alphabetic();
    let is_other = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.len() <= crate::limits::NAME_BYTES_MAX && name.starts_with(is_first) && name.chars().all(is_other)
}

/// One path for one file, however it is reached: what the paths in [`Unsaved`] and in [`Place`] are compared by.
pub fn canonical(path: &Path) -> PathBuf {
    on_disk(path)
}
