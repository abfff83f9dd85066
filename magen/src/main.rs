//! The interface compiler on the command line.
//!
//! Exits with 0 if all went well, 1 if an input is faulty or a file cannot be read or written, 2 if the arguments make
//! no sense.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::Arg;
use magen::{CompileError, Compiler, FileError, RenderStyle};

const USAGE: &str = "\
The interface compiler of mage: .magen files in, Rust code out.

usage: magen generate IN... [-o OUT]
       magen check IN...
       magen fmt [--check] IN...

commands:
  generate   write the Rust code of each IN
  check      only say what is wrong
  fmt        lay out each IN anew, in place

options:
  -o, --output OUT   a file, or a directory where NAME.magen becomes NAME.magen.rs;
                     with several inputs, always a directory; `-` is the standard output,
                     and the default for one input
      --check        write nothing, but name each IN whose layout is another, and fail
  -h, --help         show this text
  -V, --version      show the version

IN is a file, or `-` for the standard input.
";

fn main() -> ExitCode {
    let command = match parse_arguments(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            say(&mut io::stderr(), &format!("error: {error}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    let result = match command {
        Command::Say(text) => {
            say(&mut io::stdout(), &text);
            Ok(())
        }
        Command::Check { inputs } => check(&inputs),
        Command::Generate { inputs, output } => generate(&inputs, &output),
        Command::Format { inputs, is_check } => format(&inputs, is_check),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(errors) => {
            for error in errors {
                say(&mut io::stderr(), &error);
            }
            ExitCode::from(1)
        }
    }
}

/// What the arguments ask for.
enum Command {
    /// Text for the standard output.
    Say(String),
    Check {
        inputs: Vec<PathBuf>,
    },
    Generate {
        inputs: Vec<PathBuf>,
        output: Output,
    },
    Format {
        inputs: Vec<PathBuf>,
        /// Whether only to say which are not laid out.
        is_check: bool,
    },
}

/// Where code goes.
enum Output {
    Stdout,
    File(PathBuf),
    Directory(PathBuf),
}

fn parse_arguments(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut name: Option<String> = None;
    let mut inputs: Vec<PathBuf> = Vec::new();
    let mut output: Option<OsString> = None;
    let mut is_check = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Say(USAGE.to_owned())),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Command::Say(format!("magen {}\n", env!("CARGO_PKG_VERSION"))));
            }
            Arg::Short('o') | Arg::Long("output") if output.is_none() => output = Some(parser.value()?),
            Arg::Long("check") if name.as_deref() == Some("fmt") => is_check = true,
            Arg::Value(value) if name.is_none() => name = Some(value.to_string_lossy().into_owned()),
            Arg::Value(value) => inputs.push(value.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    let name = name.ok_or("there is no command")?;
    if inputs.is_empty() && matches!(name.as_str(), "generate" | "check" | "fmt") {
        return Err(format!("`magen {name}` needs an input").into());
    }
    match name.as_str() {
        "generate" => {
            let output = choose_output(output, &inputs)?;
            Ok(Command::Generate { inputs, output })
        }
        "check" if output.is_some() => Err("`magen check` writes nothing: leave out `--output`".into()),
        "check" => Ok(Command::Check { inputs }),
        "fmt" if output.is_some() => Err("`magen fmt` writes in place: leave out `--output`".into()),
        "fmt" => Ok(Command::Format { inputs, is_check }),
        _ => Err(format!("there is no command `{name}`").into()),
    }
}

fn choose_output(output: Option<OsString>, inputs: &[PathBuf]) -> Result<Output, lexopt::Error> {
    let is_single = inputs.len() == 1;
    let Some(output) = output.filter(|output| output != "-") else {
        return if is_single {
            Ok(Output::Stdout)
        } else {
            Err("several inputs need a directory as `--output`".into())
        };
    };
    let ends_with_slash = output.to_string_lossy().ends_with(std::path::MAIN_SEPARATOR);
    let path = PathBuf::from(output);
    if is_single && !ends_with_slash && !path.is_dir() {
        return Ok(Output::File(path));
    }
    if inputs.iter().any(|input| is_stdin(input)) {
        return Err("the standard input has no name: it can only be written to a file".into());
    }
    Ok(Output::Directory(path))
}

/// The texts of all errors, if there are any.
fn check(inputs: &[PathBuf]) -> Result<(), Vec<String>> {
    let errors: Vec<String> =
        inputs.iter().filter_map(|input| check_one(input).err()).map(|error| error.render(style())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn generate(inputs: &[PathBuf], output: &Output) -> Result<(), Vec<String>> {
    let to_text = |error: CompileError| vec![error.render(style())];
    let not_written = |path: PathBuf, error| to_text(CompileError::from(FileError::Write { path, error }));
    match output {
        Output::Directory(directory) => {
            let written = Compiler::new().inputs(inputs).output_directory(directory).run();
            written.map(drop).map_err(to_text)
        }
        Output::File(path) => {
            for input in inputs {
                let code = generate_one(input).map_err(to_text)?;
                std::fs::write(path, code).map_err(|error| not_written(path.clone(), error))?;
            }
            Ok(())
        }
        Output::Stdout => {
            for input in inputs {
                let code = generate_one(input).map_err(to_text)?;
                let written = io::stdout().write_all(code.as_bytes());
                written.map_err(|error| not_written(PathBuf::from("<stdout>"), error))?;
            }
            Ok(())
        }
    }
}

/// Lays out every input, as far as that is possible.
fn format(inputs: &[PathBuf], is_check: bool) -> Result<(), Vec<String>> {
    let errors: Vec<String> = inputs.iter().filter_map(|input| format_one(input, is_check).err()).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn format_one(input: &Path, is_check: bool) -> Result<(), String> {
    let to_text = |error: FileError| error.render(style());
    let name = if is_stdin(input) { "<stdin>".into() } else { input.display().to_string() };
    let read =
        if is_stdin(input) { magen::read(io::stdin()) } else { File::open(input).and_then(magen::read) };
    let source = read.map_err(|error| to_text(FileError::Read { path: name.clone().into(), error }))?;
    let formatted =
        magen::format(&source, &name).map_err(|faults| to_text(FileError::Diagnostics(faults)))?;
    let is_laid_out = source == formatted.as_bytes();
    if is_check {
        return if is_laid_out { Ok(()) } else { Err(format!("`{name}` is not laid out\n")) };
    }
    let written = match is_stdin(input) {
        true => io::stdout().write_all(formatted.as_bytes()),
        false if is_laid_out => Ok(()),
        false => std::fs::write(input, &formatted),
    };
    written.map_err(|error| to_text(FileError::Write { path: name.into(), error }))
}

fn generate_one(input: &Path) -> Result<String, CompileError> {
    if is_stdin(input) { magen::generate_from(io::stdin(), "<stdin>") } else { magen::generate_file(input) }
}

fn check_one(input: &Path) -> Result<(), CompileError> {
    if is_stdin(input) { magen::check_from(io::stdin(), "<stdin>") } else { magen::check_file(input) }
}

fn is_stdin(input: &Path) -> bool {
    input == OsStr::new("-")
}

/// Colours for terminals, unless the user does not want any.
fn style() -> RenderStyle {
    let is_refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stderr().is_terminal() && !is_refused { RenderStyle::Coloured } else { RenderStyle::Plain }
}

/// Writes `text`; when nobody listens any more, there is nobody to tell either.
fn say(stream: &mut impl Write, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}
