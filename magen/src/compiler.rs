//! Files in, files out: what build scripts and the command line share.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
use crate::error::{CompileError, FileError};
use crate::loader::{self, Sources};
use crate::options::Options;

/// Compiles `.magen` files to `.magen.rs` files in a directory.
///
/// In a build script, [`compile`](crate::compile) does it all. This type is for everything else: it returns errors
/// instead of ending the process, and writes where it is told to.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let input = directory.path().join("logger.magen");
/// # std::fs::write(&input, "interface Logger { Log(string text); }")?;
/// let written = magen::Compiler::new().input(&input).output_directory(directory.path()).run()?;
/// assert_eq!(written, [directory.path().join("logger.magen.rs")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    inputs: Vec<PathBuf>,
    output_directory: Option<PathBuf>,
    cargo_directives: bool,
    options: Options,
}

impl Compiler {
    /// A compiler without inputs, which writes to `$OUT_DIR` and prints nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    #[must_use]
    pub fn input(mut self, path: impl Into<PathBuf>) -> Self {
        self.inputs.push(path.into());
        self
    }

    /// Adds several files.
    #[must_use]
    pub fn inputs(mut self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.inputs.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Writes to `path`, which must exist, instead of the directory in the environment variable `OUT_DIR`.
    #[must_use]
    pub fn output_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.output_directory = Some(path.into());
        self
    }

    /// Whether to print `cargo::rerun-if-changed=` for every input and everything that is imported, as a build script must.
    #[must_use]
    pub fn cargo_directives(mut self, print: bool) -> Self {
        self.cargo_directives = print;
        self
    }

    /// What is generated beside what always is.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Compiles every input and returns the files that were written, in the order of the inputs.
    ///
    /// A file that already has the right content is left alone.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of the inputs, or with the place they are written to. If any input is faulty,
    /// nothing is written.
    pub fn run(&self) -> Result<Vec<PathBuf>, CompileError> {
        if self.cargo_directives {
            self.inputs.iter().for_each(|input| print_directive(input));
        }
        let mut outputs = self.outputs()?;
        let mut errors: Vec<FileError> = Vec::new();
        for (input, output) in &mut outputs {
            match self.compile(input) {
                Ok(code) => output.code = code,
                Err(error) => error.move_new_into(&mut errors),
            }
        }
        if errors.is_empty() {
            for (_, output) in &outputs {
                errors.extend(write_if_changed(&output.path, &output.code).err());
            }
        }
        CompileError::check(errors)?;
        Ok(outputs.into_iter().map(|(_, output)| output.path).collect())
    }

    fn compile(&self, input: &Path) -> Result<String, CompileError> {
        let sources = load(input)?;
        if self.cargo_directives {
            sources.imported_paths().for_each(print_directive);
        }
        compile(&sources, &input.display().to_string(), &self.options)
    }

    /// Every input with the file it is compiled to.
    fn outputs(&self) -> Result<Vec<(&Path, Output)>, CompileError> {
        let directory = self.output_directory.clone().or_else(|| env::var_os("OUT_DIR").map(PathBuf::from));
        let Some(directory) = directory else {
            return Err(CompileError::from(FileError::NoOutputDirectory));
        };
        let mut outputs = Vec::new();
        let mut errors = Vec::new();
        let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
        for input in &self.inputs {
            let Some(stem) = input.file_stem() else {
                errors.push(FileError::NoFileName { path: input.clone() });
                continue;
            };
            let mut name = stem.to_owned();
            name.push(".magen.rs");
            let path = directory.join(name);
            if let Some(first) = taken.insert(path.clone(), input) {
                errors.push(FileError::SameOutput {
                    first: first.to_owned(),
                    second: input.clone(),
                    output: path,
                });
                continue;
            }
            outputs.push((input.as_path(), Output { path, code: String::new() }));
        }
        CompileError::check(errors)?;
        Ok(outputs)
    }
}

struct Output {
    path: PathBuf,
    code: String,
}

/// The Rust code of the file at `path`, like [`generate`](crate::generate), but it may import others.
///
/// # Errors
///
/// If the file cannot be read, or everything that is wrong with it and with what it imports.
pub fn generate_file(path: impl AsRef<Path>) -> Result<String, CompileError> {
    Options::default().generate_file(path)
}

/// The Rust code of everything that `reader` gives, like [`generate`](crate::generate). No more is read than the limit of
/// 16 MiB.
///
/// # Errors
///
/// If reading fails, or everything that is wrong with the source.
pub fn generate_from(reader: impl Read, file_name: &str) -> Result<String, CompileError> {
    Options::default().generate_from(reader, file_name)
}

/// Only says what is wrong with the file at `path`, and with what it imports.
///
/// # Errors
///
/// As [`generate_file`].
pub fn check_file(path: impl AsRef<Path>) -> Result<(), CompileError> {
    load(path.as_ref())?.check(|_| ()).map_err(CompileError::from)
}

/// Only says what is wrong with everything that `reader` gives.
///
/// # Errors
///
/// As [`generate_from`].
pub fn check_from(reader: impl Read, file_name: &str) -> Result<(), CompileError> {
    read_from(reader, file_name)?.check(|_| ()).map_err(CompileError::from)
}

pub(crate) fn read_from(reader: impl Read, file_name: &str) -> Result<Sources, CompileError> {
    let text =
        loader::read(reader).map_err(|error| FileError::Read { path: PathBuf::from(file_name), error })?;
    Ok(Sources::from_text(file_name, text))
}

pub(crate) fn load(path: &Path) -> Result<Sources, CompileError> {
    let read = Sources::from_path(path);
    Ok(read.map_err(|error| FileError::Read { path: path.to_owned(), error })?)
}

pub(crate) fn compile(sources: &Sources, file_name: &str, options: &Options) -> Result<String, CompileError> {
    sources.check(|schema| crate::code(schema, file_name, options)).map_err(CompileError::from)
}

/// Tells cargo to run the build script again when this file changes.
fn print_directive(path: &Path) {
    // A build script whose output nobody reads has no use for the directive.
    let _ = writeln!(io::stdout(), "cargo::rerun-if-changed={}", path.display());
}

/// Writes `code` to `path`, unless that is what is there: an unchanged file keeps its time of modification.
fn write_if_changed(path: &Path, code: &str) -> Result<(), FileError> {
    if fs::read(path).is_ok_and(|existing| existing == code.as_bytes()) {
        return Ok(());
    }
    fs::write(path, code).map_err(|error| FileError::Write { path: path.to_owned(), error })
}

impl From<Diagnostics> for FileError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnostics(diagnostics)
    }
}
