//! The command `magen`: what there is to do with `.magen` files.
//!
//! Exits with 0 if all went well, 1 if an input is faulty or a file cannot be read or written, 2 if the arguments make
//! no sense.

#![forbid(unsafe_code)]

mod arguments;
mod breaking;
mod check;
mod decode;
mod document;
mod failure;
mod format;
mod generate;
mod input;
mod lsp;
mod output;

use std::process::ExitCode;

use failure::Failure;
use lexopt::{Arg, Parser};

/// What there is, in short and in full.
const USAGE: [&str; 2] = [
    "\
usage: magen generate [--mocks] [--fuzz] IN... [-o OUT]
       magen check IN...
       magen fmt [--check] IN...
       magen breaking --against OLD IN...
       magen doc IN... -o OUT
       magen decode [--interface NAME] [--pipes N] [--handles N] [--link] SCHEMA MESSAGE
       magen lsp
",
    "\
commands:
  generate   write the Rust code of each IN
  check      only say what is wrong
  fmt        lay out each IN anew, in place
  breaking   say what keeps builds of OLD and of IN from talking to each other
  doc        write a page of HTML about each IN, and one that lists them, to the directory OUT
  decode     show a captured MESSAGE with the names that it has in SCHEMA
  lsp        serve an editor, over the standard input and output

options:
  -o, --output OUT   a file, or a directory where NAME.magen becomes NAME.magen.rs;
                     with several inputs, always a directory; `-` is the standard output,
                     and the default for one input
      --mocks        also what tests stand in for each interface with
      --fuzz         also what makes messages of any bytes, for a fuzzer
      --check        write nothing, but name each IN whose layout is another, and fail
      --against OLD  a file, a directory, or a revision that git knows
      --interface NAME   the interface of the message, instead of the one with its fingerprint
      --pipes N, --handles N
                     how many of them came with the message, none if it is not said
      --link         MESSAGE is what went over a link in one direction, frame by frame
  -h, --help         show this text
  -V, --version      show the version

IN and MESSAGE are files, or `-` for the standard input. A MESSAGE may be in hexadecimal.
`magen breaking` also takes directories, and compares the files of one name in them.
",
];

fn main() -> ExitCode {
    match run(Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Answered(text)) => {
            output::say(&text);
            ExitCode::SUCCESS
        }
        Err(Failure::Faults(texts)) => {
            texts.iter().for_each(|text| output::complain(text));
            ExitCode::from(1)
        }
        Err(Failure::Usage(error)) => {
            let [synopsis, _] = USAGE;
            output::complain(&format!("error: {error}\n\n{synopsis}\n`magen --help` says more\n"));
            ExitCode::from(2)
        }
    }
}

fn help() -> Failure {
    let [synopsis, details] = USAGE;
    let text =
        format!("The interface compiler of mage: .magen files in, Rust code out.\n\n{synopsis}\n{details}");
    Failure::Answered(text)
}

fn run(mut parser: Parser) -> Result<(), Failure> {
    let name = match arguments::next(&mut parser)? {
        None => return Err(Failure::usage("there is no command")),
        Some(Arg::Value(name)) => name.to_string_lossy().into_owned(),
        Some(other) => return Err(other.unexpected().into()),
    };
    match name.as_str() {
        "generate" => generate::run(parser),
        "breaking" => breaking::run(parser),
        "check" => check::run(parser),
        "decode" => decode::run(parser),
        "doc" => document::run(parser),
        "fmt" => format::run(parser),
        "help" => Err(help()),
        "lsp" => lsp::run(parser),
        _ => Err(Failure::usage(format!("there is no command `{name}`"))),
    }
}
