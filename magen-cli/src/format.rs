//! `magen fmt`: lays out every input anew, as far as that is possible.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use lexopt::{Arg, Parser};
use magen::FileError;

use crate::arguments::InputsAndOutput;
use crate::failure::Failure;
use crate::{input, output};

pub(crate) fn run(mut parser: Parser) -> Result<(), Failure> {
    let mut is_check = false;
    let arguments = InputsAndOutput::read("fmt", &mut parser, |argument| {
        let is_known = matches!(argument, Arg::Long("check"));
        is_check |= is_known;
        is_known
    })?;
    if arguments.output.is_some() {
        return Err(Failure::usage("`magen fmt` writes in place: leave out `--output`"));
    }
    let faults = arguments.inputs.iter().filter_map(|input| format(input, is_check).err());
    Failure::check(faults.collect())
}

fn format(input: &Path, is_check: bool) -> Result<(), String> {
    let to_text = |error: FileError| error.render(output::style());
    let name = input::name(input);
    let source = input::read(input).map_err(to_text)?;
    let formatted =
        magen::format(&source, &name).map_err(|faults| to_text(FileError::Diagnostics(faults)))?;
    let is_laid_out = source == formatted.as_bytes();
    if is_check {
        return if is_laid_out { Ok(()) } else { Err(format!("`{name}` is not laid out\n")) };
    }
    let written = match input::is_stdin(input) {
        true => io::stdout().write_all(formatted.as_bytes()),
        false if is_laid_out => Ok(()),
        false => fs::write(input, &formatted),
    };
    written.map_err(|error| to_text(FileError::Write { path: name.into(), error }))
}
