//! `magen check`: only says what is wrong.

use std::io;
use std::path::Path;

use lexopt::Parser;
use magen::CompileError;

use crate::arguments::InputsAndOutput;
use crate::failure::Failure;
use crate::{input, output};

pub(crate) fn run(mut parser: Parser) -> Result<(), Failure> {
    let arguments = InputsAndOutput::read("check", &mut parser, |_| false)?;
    if arguments.output.is_some() {
        return Err(Failure::usage("`magen check` writes nothing: leave out `--output`"));
    }
    let errors = arguments.inputs.iter().filter_map(|input| check(input).err());
    Failure::check(errors.map(|error| error.render(output::style())).collect())
}

fn check(input: &Path) -> Result<(), CompileError> {
    if input::is_stdin(input) { magen::check_from(io::stdin(), "<stdin>") } else { magen::check_file(input) }
}
