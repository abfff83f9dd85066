//! What the subcommands read of the command line in the same way.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser};

use crate::failure::Failure;

/// The next argument that is not about the command as a whole.
pub(crate) fn next(parser: &mut Parser) -> Result<Option<Arg<'_>>, Failure> {
    match parser.next()? {
        Some(Arg::Short('h') | Arg::Long("help")) => Err(crate::help()),
        Some(Arg::Short('V') | Arg::Long("version")) => {
            Err(Failure::Answered(format!("magen {}\n", env!("CARGO_PKG_VERSION"))))
        }
        argument => Ok(argument),
    }
}

/// Inputs, and at most one `--output`.
#[derive(Debug, Default)]
pub(crate) struct InputsAndOutput {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) output: Option<OsString>,
}

impl InputsAndOutput {
    /// Reads all arguments there are; whatever is neither an input nor the output is left to `other`, which says whether it
    /// knew what to do with it.
    pub(crate) fn read(
        command: &str,
        parser: &mut Parser,
        mut other: impl FnMut(&Arg<'_>) -> bool,
    ) -> Result<Self, Failure> {
        let mut read = Self::default();
        while let Some(argument) = next(parser)? {
            match argument {
                Arg::Short('o') | Arg::Long("output") if read.output.is_none() => {
                    read.output = Some(parser.value()?);
                }
                Arg::Value(value) => read.inputs.push(value.into()),
                argument if other(&argument) => {}
                argument => return Err(argument.unexpected().into()),
            }
        }
        if read.inputs.is_empty() {
            return Err(Failure::usage(format!("`magen {command}` needs an input")));
        }
        Ok(read)
    }
}
