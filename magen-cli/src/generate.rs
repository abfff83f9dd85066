//! `magen generate`: writes the Rust code of every input.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use lexopt::{Arg, Parser};
use magen::{CompileError, Compiler, FileError, Options};

use crate::arguments::InputsAndOutput;
use crate::failure::Failure;
use crate::{input, output};

pub(crate) fn run(mut parser: Parser) -> Result<(), Failure> {
    let mut options = Options::new();
    let arguments = InputsAndOutput::read("generate", &mut parser, |argument| {
        let (mocks, fuzz) = (*argument == Arg::Long("mocks"), *argument == Arg::Long("fuzz"));
        options = match (mocks, fuzz) {
            (true, _) => options.clone().mocks(true),
            (_, true) => options.clone().fuzz(true),
            _ => return false,
        };
        true
    })?;
    let output = Output::choose(arguments.output, &arguments.inputs)?;
    let written = write(&arguments.inputs, &output, &options);
    written.map_err(|error| Failure::fault(error.render(output::style())))
}

/// Where code goes.
enum Output {
    Stdout,
    File(PathBuf),
    Directory(PathBuf),
}

impl Output {
    fn choose(output: Option<OsString>, inputs: &[PathBuf]) -> Result<Self, Failure> {
        let is_single = inputs.len() == 1;
        let Some(output) = output.filter(|output| output != "-") else {
            return if is_single {
                Ok(Self::Stdout)
            } else {
                Err(Failure::usage("several inputs need a directory as `--output`"))
            };
        };
        let ends_with_slash = output.to_string_lossy().ends_with(MAIN_SEPARATOR);
        let path = PathBuf::from(output);
        if is_single && !ends_with_slash && !path.is_dir() {
            return Ok(Self::File(path));
        }
        if inputs.iter().any(|input| input::is_stdin(input)) {
            let message = "the standard input has no name: it can only be written to a file";
            return Err(Failure::usage(message));
        }
        Ok(Self::Directory(path))
    }
}

fn write(inputs: &[PathBuf], output: &Output, options: &Options) -> Result<(), CompileError> {
    let not_written = |path: PathBuf, error| CompileError::from(FileError::Write { path, error });
    if let Output::Directory(directory) = output {
        let compiler = Compiler::new().inputs(inputs).options(options.clone());
        return compiler.output_directory(directory).run().map(drop);
    }
    for input in inputs {
        let code = generate(input, options)?;
        match output {
            Output::File(path) => {
                fs::write(path, code).map_err(|error| not_written(path.clone(), error))?;
            }
            _ => io::stdout()
                .write_all(code.as_bytes())
                .map_err(|error| not_written(PathBuf::from("<stdout>"), error))?,
        }
    }
    Ok(())
}

fn generate(input: &Path, options: &Options) -> Result<String, CompileError> {
    if input::is_stdin(input) {
        options.generate_from(io::stdin(), "<stdin>")
    } else {
        options.generate_file(input)
    }
}
