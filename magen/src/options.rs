//! [`Options`]: what is generated beside what always is.

use std::io::Read;
use std::path::Path;

use crate::compiler;
use crate::diagnostic::Diagnostics;
use crate::error::CompileError;
use crate::loader::Sources;

/// What is generated beside what always is. All of it only adds.
///
/// ```
/// let options = magen::Options::new().mocks(true).fuzz(true);
/// let code = options.generate("interface Logger { Log(string text); }", "logger.magen")?;
/// assert!(code.contains("pub struct LoggerMock {"));
/// assert!(code.contains("pub fn fuzz_logger<"));
/// # Ok::<(), magen::Diagnostics>(())
/// ```
///
/// In a build script:
///
/// ```no_run
/// let options = magen::Options::new().mocks(true);
/// magen::Compiler::new().input("magen/logger.magen").options(options).cargo_directives(true).run()?;
/// # Ok::<(), magen::CompileError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) mocks: bool,
    pub(crate) fuzz: bool,
}

impl Options {
    /// Nothing beside what always is.
    pub fn new() -> Self {
        Self::default()
    }

    /// For each interface `Foo`, the struct `FooMock`, whose methods answer as a test says, and an implementation for
    /// `mage::testing::Recorder`, which writes down what is called.
    #[must_use]
    pub fn mocks(mut self, wanted: bool) -> Self {
        self.mocks = wanted;
        self
    }

    /// For each interface `Foo`, the function `fuzz_foo`, which makes messages and answers of any bytes, for a fuzzer.
    #[must_use]
    pub fn fuzz(mut self, wanted: bool) -> Self {
        self.fuzz = wanted;
        self
    }

    /// As [`generate`](crate::generate), with these options.
    ///
    /// # Errors
    ///
    /// As [`generate`](crate::generate).
    pub fn generate(&self, source: impl AsRef<[u8]>, file_name: &str) -> Result<String, Diagnostics> {
        let sources = Sources::from_text(file_name, source.as_ref().to_vec());
        let code = sources.check(|schema| crate::code(schema, file_name, self));
        code.map_err(|mut faults| faults.swap_remove(0))
    }

    /// As [`generate_file`](crate::generate_file), with these options.
    ///
    /// # Errors
    ///
    /// As [`generate_file`](crate::generate_file).
    pub fn generate_file(&self, path: impl AsRef<Path>) -> Result<String, CompileError> {
        let path = path.as_ref();
        compiler::compile(&compiler::load(path)?, &path.display().to_string(), self)
    }

    /// As [`generate_from`](crate::generate_from), with these options.
    ///
    /// # Errors
    ///
    /// As [`generate_from`](crate::generate_from).
    pub fn generate_from(&self, reader: impl Read, file_name: &str) -> Result<String, CompileError> {
        compiler::compile(&compiler::read_from(reader, file_name)?, file_name, self)
    }
}
