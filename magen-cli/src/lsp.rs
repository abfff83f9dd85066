//! `magen lsp`: the server that editors talk to, over the standard input and output.

mod answers;
mod documents;
mod lines;
mod server;

use std::io;

use lexopt::{Arg, Parser};
use lsp_server::Message;

use crate::arguments;
use crate::failure::Failure;
use server::{Server, State};

pub(crate) fn run(mut parser: Parser) -> Result<(), Failure> {
    while let Some(argument) = arguments::next(&mut parser)? {
        // What clients say to servers that have more than one way to be talked to.
        if argument != Arg::Long("stdio") {
            return Err(argument.unexpected().into());
        }
    }
    serve().map_err(|error| Failure::fault(format!("error: the editor cannot be understood: {error}\n")))?
}

fn serve() -> io::Result<Result<(), Failure>> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut server = Server::default();
    while let Some(message) = Message::read(&mut input)? {
        for message in server.handle(message) {
            message.write(&mut output)?;
        }
        if let State::Ended { in_order } = server.state() {
            return Ok(match in_order {
                true => Ok(()),
                false => Err(Failure::fault("error: the editor left without a word\n")),
            });
        }
    }
    Ok(Err(Failure::fault("error: the editor is gone\n")))
}
