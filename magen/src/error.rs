//! Why files were not compiled.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use annotate_snippets::{Group, Level, Renderer};

use crate::diagnostic::{Diagnostics, RenderStyle};

/// Everything that kept a [`Compiler`](crate::Compiler) from doing its work; never empty.
#[derive(Debug)]
pub struct CompileError {
    errors: Vec<FileError>,
}

impl CompileError {
    /// The errors, in the order of the inputs.
    pub fn iter(&self) -> impl Iterator<Item = &FileError> {
        self.errors.iter()
    }

    /// The text that `Display` gives, with ANSI colours if asked for; it ends with a line break.
    pub fn render(&self, style: RenderStyle) -> String {
        self.errors.iter().map(|error| error.render(style)).collect()
    }

    /// Moves its errors to `others`, except those that are there: a file that several import is faulty once.
    pub(crate) fn move_new_into(self, others: &mut Vec<FileError>) {
        for error in self.errors {
            let text = error.to_string();
            if others.iter().all(|other| other.to_string() != text) {
                others.push(error);
            }
        }
    }

    pub(crate) fn check(errors: Vec<FileError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self { errors }) }
    }
}

impl From<FileError> for CompileError {
    fn from(error: FileError) -> Self {
        Self { errors: vec![error] }
    }
}

impl From<Vec<Diagnostics>> for CompileError {
    fn from(faults: Vec<Diagnostics>) -> Self {
        Self { errors: faults.into_iter().map(FileError::Diagnostics).collect() }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(RenderStyle::Plain))
    }
}

impl Error for CompileError {}

/// Why one file was not compiled.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileError {
    /// The source is at fault.
    Diagnostics(Diagnostics),
    /// An input could not be read.
    Read {
        /// The input.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// An output could not be written.
    Write {
        /// The output.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Two inputs would be compiled to one file, because their names differ only in the directory.
    SameOutput {
        /// The input that comes first.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
        /// What both would be compiled to.
        output: PathBuf,
    },
    /// An input has no file name, such as `..`.
    NoFileName {
        /// The input.
        path: PathBuf,
    },
    /// No output directory was given, and the environment variable `OUT_DIR` is not set.
    NoOutputDirectory,
}

impl FileError {
    /// The text that is shown, with ANSI colours if asked for; it ends with a line break.
    pub fn render(&self, style: RenderStyle) -> String {
        let (message, help) = match self {
            Self::Diagnostics(diagnostics) => return diagnostics.render(style),
            Self::Read { path, error } => (format!("cannot read `{}`: {error}", path.display()), None),
            Self::Write { path, error } => (format!("cannot write `{}`: {error}", path.display()), None),
            Self::SameOutput { first, second, output } => (
                format!(
                    "`{}` and `{}` are both compiled to `{}`",
                    first.display(),
                    second.display(),
                    output.display()
                ),
                Some("rename one of them: the name of the file decides what it is compiled to"),
            ),
            Self::NoFileName { path } => (format!("`{}` is not the name of a file", path.display()), None),
            Self::NoOutputDirectory => (
                "there is no directory to write to".to_owned(),
                Some("cargo sets `OUT_DIR` for build scripts; elsewhere, name a directory"),
            ),
        };
        let renderer = match style {
            RenderStyle::Plain => Renderer::plain(),
            RenderStyle::Coloured => Renderer::styled(),
        };
        let title = Group::with_title(Level::ERROR.primary_title(message));
        let group = title.elements(help.map(|help| Level::HELP.message(help)));
        renderer.render(&[group]) + "\n"
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(RenderStyle::Plain))
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Diagnostics(diagnostics) => Some(diagnostics),
            Self::Read { error, .. } | Self::Write { error, .. } => Some(error),
            Self::SameOutput { .. } | Self::NoFileName { .. } | Self::NoOutputDirectory => None,
        }
    }
}
