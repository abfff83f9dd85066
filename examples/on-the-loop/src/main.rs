//! mage on its own loop: one thread, and no runtime in the dependencies. `cargo tree -p on-the-loop` shows it, and a test
//! of this example checks it.
//!
//! The program starts itself a second time as its own child, and talks to it; in the parent, a part of the program that
//! must not leave its thread is called through a pipe as well. At the end the child leaves with a call unanswered, and the
//! parent is told why.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use std::cell::RefCell;
use std::process::Command;
use std::rc::Rc;

use mage::event_loop::EventLoop;
use mage::sched::LocalScheduler;
use mage::{Node, Receiver, Remote, Reply};

mage::include_magen!("greeter");

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let mut event_loop = EventLoop::new()?;
    let node = Node::new(event_loop.scheduler());
    let local = event_loop.local();
    let is_child = std::env::args().nth(1).as_deref() == Some("child");
    event_loop.run_until(async { if is_child { child(node).await } else { parent(node, &*local).await } })
}

async fn parent(node: Node, local: &dyn LocalScheduler) -> Result<(), Error> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut launched = node.launch::<dyn Greeter>(command.arg("child"))?;
    let greeter = launched.remote;

    // The same interface-and-pipe within one thread: the diary is full of `Rc`, and nothing here asks for `Send`.
    let (writer, reader) = node.create_message_pipes();
    let (diary, lines) = (Remote::<dyn Diary>::new(writer), Rc::new(RefCell::new(Vec::new())));
    let mut book = Book { lines: Rc::clone(&lines) };
    local.spawn_local(Box::pin(async move {
        if let Err(why) = Receiver::<dyn Diary>::new(reader).serve(&mut book).await {
            println!("The diary breaks off: {why}.");
        }
    }));

    for name in ["Ada", "Grace", "Barbara"] {
        diary.write(&greeter.greet(name).await?).await?;
    }

    greeter.leave()?;
    if let Err(error) = greeter.greet("Nobody").await {
        diary.write(&format!("Nobody was not greeted: {error}.")).await?;
    }
    println!("The child has ended: {}.", launched.child.wait()?);
    println!("From the diary:\n  {}", lines.borrow().join("\n  "));
    Ok(())
}

struct Book {
    lines: Rc<RefCell<Vec<String>>>,
}

impl Diary for Book {
    fn write(&mut self, line: String, reply: Reply<i32>) {
        let mut lines = self.lines.borrow_mut();
        lines.push(line);
        let _ = reply.send(i32::try_from(lines.len()).unwrap_or(i32::MAX));
    }
}

/// Takes the messages one by one. `serve` does the same with a handler.
async fn child(node: Node) -> Result<(), Error> {
    let mut receiver = node.inherited_receiver::<dyn Greeter>().await?;
    while let Some(message) = receiver.recv().await? {
        match message {
            GreeterMessage::Greet { name, reply } => reply.send(format!("Hello, {name}!"))?,
            GreeterMessage::Leave => break,
        }
    }
    drop(receiver); // before the links: whoever still waits is told that this end was closed
    node.shutdown().await;
    Ok(())
}
