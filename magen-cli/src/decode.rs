//! `magen decode`: shows a captured message, or says where it breaks.

mod capture;
mod header;
mod show;

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};
use magen::FileError;
use magen::dynamic::{self, Body, Interface, Types};

use crate::arguments;
use crate::failure::Failure;
use crate::{input, output};
use capture::{Frames, Message};
use header::{Header, Kind};

pub(crate) fn run(parser: Parser) -> Result<(), Failure> {
    let arguments = Arguments::read(parser)?;
    let messages = arguments.messages()?;
    let shown = dynamic::with_file(&arguments.schema, |types| show_all(&arguments, types, &messages));
    shown.map_err(|error| Failure::fault(error.render(output::style())))?
}

/// What the arguments ask for.
#[derive(Debug, Default)]
struct Arguments {
    schema: PathBuf,
    message: PathBuf,
    interface: Option<String>,
    pipes: Option<u32>,
    handles: Option<u32>,
    is_link: bool,
}

impl Arguments {
    fn read(mut parser: Parser) -> Result<Self, Failure> {
        let mut arguments = Self::default();
        let mut paths: Vec<PathBuf> = Vec::new();
        while let Some(argument) = arguments::next(&mut parser)? {
            match argument {
                Arg::Long("interface") if arguments.interface.is_none() => {
                    arguments.interface = Some(parser.value()?.string()?);
                }
                Arg::Long("pipes") => arguments.pipes = Some(parser.value()?.parse()?),
                Arg::Long("handles") => arguments.handles = Some(parser.value()?.parse()?),
                Arg::Long("link") => arguments.is_link = true,
                Arg::Value(value) => paths.push(value.into()),
                argument => return Err(argument.unexpected().into()),
            }
        }
        if arguments.is_link && (arguments.pipes.is_some() || arguments.handles.is_some()) {
            return Err(Failure::usage("frames say how many attachments they have: leave out the numbers"));
        }
        let Ok([schema, message]) = <[PathBuf; 2]>::try_from(paths) else {
            return Err(Failure::usage("`magen decode` needs a file with interfaces and one with a message"));
        };
        Ok(Self { schema, message, ..arguments })
    }

    fn messages(&self) -> Result<Vec<Message>, Failure> {
        let to_fault = |error: FileError| Failure::fault(error.render(output::style()));
        let bytes = input::read(&self.message).map_err(to_fault)?;
        let bytes = capture::from_hex(&bytes).unwrap_or(bytes);
        if !self.is_link {
            let (pipes, handles) = (self.pipes.unwrap_or(0), self.handles.unwrap_or(0));
            return Ok(vec![Message { bytes, pipes, handles }]);
        }
        let frames = Frames::read(&bytes);
        if let Some(place) = frames.fault {
            let cut_off = format!("warning: no whole frame begins at byte {place} of {}\n", bytes.len());
            output::complain(&cut_off);
        }
        if frames.others > 0 {
            output::complain(&format!("note: {} frames without a message\n", frames.others));
        }
        Ok(frames.messages)
    }
}

fn show_all(arguments: &Arguments, types: Types<'_>, messages: &[Message]) -> Result<(), Failure> {
    let interface = match &arguments.interface {
        None => None,
        Some(name) => Some(types.interface(name).ok_or_else(|| no_interface(name, types))?),
    };
    let mut faults = Vec::new();
    for message in messages {
        match shown(message, interface, types) {
            Ok(text) => output::say(&text),
            Err(text) => faults.push(text),
        }
    }
    Failure::check(faults)
}

fn no_interface(name: &str, types: Types<'_>) -> Failure {
    let names: Vec<String> = types.interfaces().map(|interface| format!("`{}`", interface.name())).collect();
    Failure::fault(format!("error: there is no interface `{name}`, but {}\n", listed(&names)))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none at all".to_owned() } else { names.join(", ") }
}

/// The message with its names, or else what is wrong with it.
fn shown(message: &Message, interface: Option<Interface<'_>>, types: Types<'_>) -> Result<String, String> {
    let fault = |offset: usize, text: &str| {
        format!("error: {text}, at byte {offset} of the message\n{}", show::dump(&message.bytes, offset))
    };
    let header = Header::read(&message.bytes).map_err(|wrong| fault(wrong.offset, &wrong.text))?;
    let Some(interface) = interface.or_else(|| types.interface_with(header.fingerprint)) else {
        let names: Vec<String> = types
            .interfaces()
            .map(|interface| format!("`{}` has {:#018x}", interface.name(), interface.fingerprint()))
            .collect();
        let text =
            format!("no interface has the fingerprint {:#018x}; {}", header.fingerprint, listed(&names));
        return Err(fault(16, &text));
    };
    let warning = if interface.fingerprint() == header.fingerprint {
        String::new()
    } else {
        format!("  (of another build: its fingerprint is {:#018x})\n", header.fingerprint)
    };
    let number = if header.request == 0 { String::new() } else { format!(" {}", header.request) };
    let rest = message.bytes.get(header.length..).unwrap_or_default();
    let version = || match rest.first_chunk() {
        Some(version) => Ok(format!("  version: {}\n", u32::from_le_bytes(*version))),
        None => Err(fault(message.bytes.len(), "the message ends here")),
    };
    let about_interface = format!("{}, {}{number}\n{warning}", interface.name(), header.kind);
    match header.kind {
        // Whose answer is refused, or asked for no longer, does not matter, and is not always said.
        Kind::QueryVersion | Kind::Cancel | Kind::NoReply => return Ok(about_interface),
        Kind::Version => return Ok(about_interface + &version()?),
        Kind::Refused => {
            // A string, behind its length.
            let description = String::from_utf8_lossy(rest.get(4..).unwrap_or_default());
            return Ok(format!("{about_interface}  description: {description:?}\n"));
        }
        _ => {}
    }
    let Some(method) = interface.method(header.method) else {
        let text = format!("`{}` has no method with the ordinal {}", interface.name(), header.method);
        return Err(fault(24, &text));
    };
    let title = format!("{}.{}, {}{number}\n{warning}", interface.name(), method.name(), header.kind);
    let shape = match header.kind {
        Kind::OneWay | Kind::Request => Some(method.parameters()),
        Kind::Reply => method.answer(),
        _ => return Ok(title + &version()?),
    };
    let is_answered = method.answer().is_some();
    let Some(shape) = shape.filter(|_| is_answered != (header.kind == Kind::OneWay)) else {
        let text = format!("`{}` is {}", method.name(), if is_answered { "answered" } else { "one-way" });
        return Err(title + &fault(2, &text));
    };
    let body = Body {
        bytes: rest.to_vec(),
        pipes: (0..message.pipes).collect(),
        handles: (0..message.handles).collect(),
    };
    match shape.decode(&body) {
        Ok(value) => Ok(title + &show::list(&value)),
        Err(wrong) => {
            let path = if wrong.path().is_empty() { String::new() } else { format!("`{}`: ", wrong.path()) };
            let offset = header.length + wrong.offset().unwrap_or(body.bytes.len());
            Err(title + &fault(offset, &format!("{path}{}", wrong.kind())))
        }
    }
}
