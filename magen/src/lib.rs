//! The interface compiler of mage: `.magen` files in, Rust code out.
//!
//! An interface is described in a file of its own language:
//!
//! ```text
//! // magen/network_process.magen
//!
//! /// Fetches what the main process asks for.
//! interface NetworkProcess {
//!   FetchURL(string url);
//!   Ask(int question) => (string answer);
//! }
//! ```
//!
//! The build script of a crate compiles it, and the crate includes the result:
//!
//! ```no_run
//! // build.rs, in `main`
//! magen::compile(["magen/network_process.magen"]);
//! ```
//!
//! ```text
//! // src/lib.rs
//! mage::include_magen!("network_process");
//! ```
//!
//! What comes out for `NetworkProcess` is the trait `NetworkProcess` for whoever answers, the enum
//! `NetworkProcessMessage` of everything that can arrive, the struct `NetworkProcessProxy` with a method for everything
//! that can be sent, and what ties them together so that `Remote<dyn NetworkProcess>` and
//! `Receiver<dyn NetworkProcess>` work. The reference of the language is `docs/MAGEN.md` in the repository.
//!
//! Compiling is a pure function of the source and the name of its file: the same on every machine, and whatever the
//! input, it ends in code or in [`Diagnostics`], never in a panic.

#![forbid(unsafe_code)]

mod ast;
pub mod breaking;
mod check;
mod codegen;
mod compiler;
mod description;
mod diagnostic;
pub mod dynamic;
pub mod editor;
mod error;
mod fingerprint;
mod format;
mod lexer;
mod limits;
mod loader;
mod options;
mod parser;
mod schema;
mod span;
mod suggest;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

pub use compiler::{Compiler, check_file, check_from, generate_file, generate_from};
pub use diagnostic::{Diagnostic, DiagnosticKind, Diagnostics, RenderStyle};
pub use error::{CompileError, FileError};

pub use format::format;
pub use loader::read;
pub use options::Options;

use diagnostic::Reporter;
use limits::FILE_BYTES_MAX;
use schema::Schema;

/// Compiles `.magen` files from a build script.
///
/// `magen/network_process.magen` becomes `$OUT_DIR/network_process.magen.rs`, for
/// `mage::include_magen!("network_process")`. Cargo is told to run the build script again when one of the files
/// changes.
///
/// ```no_run
/// magen::compile(["magen/network_process.magen", "magen/logger.magen"]);
/// ```
///
/// If a file is faulty, everything that is wrong with it is shown on the standard error, with the line and column in the
/// `.magen` file, and the process exits with status 1. [`Compiler`] is the same without exiting.
pub fn compile(inputs: impl IntoIterator<Item = impl Into<PathBuf>>) {
    if let Err(error) = Compiler::new().inputs(inputs).cargo_directives(true).run() {
        // If even the standard error is gone, the exit status has to do.
        let _ = io::stderr().write_all(error.to_string().as_bytes());
        process::exit(1);
    }
}

/// The Rust code of one source. `file_name` is what diagnostics call it; its last component is named in the code.
///
/// The code is formatted, may be included into any module, and depends on nothing but the arguments.
///
/// ```
/// let code = magen::generate("interface Logger { Log(string text); }", "logger.magen")?;
/// assert!(code.contains("pub trait Logger {"));
/// assert!(code.contains("fn log(&mut self, text: ::std::string::String);"));
/// # Ok::<(), magen::Diagnostics>(())
/// ```
///
/// # Errors
///
/// Everything that is wrong with the source, up to 100 faults.
pub fn generate(source: impl AsRef<[u8]>, file_name: &str) -> Result<String, Diagnostics> {
    Options::default().generate(source, file_name)
}

/// The Rust code of a schema that is nowhere faulty.
fn code(schema: &Schema<'_>, file_name: &str, options: &Options) -> String {
    let name = Path::new(file_name).file_name().and_then(|name| name.to_str()).unwrap_or(file_name);
    // It ends up in a comment, which a control character could end.
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    codegen::generate(schema, &name, options)
}

/// The source as text; what cannot be text is reported and treated as empty.
fn decoded<'source>(source: &'source [u8], reporter: &mut Reporter) -> &'source str {
    let allowed = source.get(..FILE_BYTES_MAX).unwrap_or(source);
    if allowed.len() < source.len() {
        let message = format!("the file is larger than {} MiB", FILE_BYTES_MAX / (1024 * 1024));
        reporter.report(
            Diagnostic::behind(DiagnosticKind::FileTooLarge, allowed, message)
                .help("split it: interfaces need not share a file"),
        );
        return "";
    }
    str::from_utf8(source).unwrap_or_else(|error| {
        let valid = source.get(..error.valid_up_to()).unwrap_or_default();
        let message = format!("the file is not UTF-8: at byte {}", valid.len());
        reporter.report(
            Diagnostic::behind(DiagnosticKind::NotUtf8, valid, message)
                .help("save the file with the encoding UTF-8"),
        );
        ""
    })
}
