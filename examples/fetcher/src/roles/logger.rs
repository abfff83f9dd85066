//! The logger: reads any number of logs, and prints them when asked.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use console::style;
use mage::sched::Scheduler;
use mage::{MessagePipe, Node, Receiver, Reply};

use crate::Error;
use crate::interfaces::{Log, Logger};
use crate::runtime::Runtime;

/// Serves the process that launched this one until that has no more to ask.
pub(crate) fn run(runtime: Runtime) -> Result<ExitCode, Error> {
    runtime.run(async |scheduler| {
        let node = Node::new(Arc::clone(&scheduler));
        let receiver = node.inherited_receiver::<dyn Logger>().await?;
        let book = Arc::new(Mutex::new(Book::default()));
        receiver.serve(&mut Collector { scheduler, book, started: Instant::now() }).await?;
        node.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// What the sources have written so far, and who waits for them to end.
#[derive(Default)]
struct Book {
    lines: Vec<String>,
    sources_open: usize,
    waiting: Vec<Reply<i32>>,
}

impl Book {
    fn print_if_complete(&mut self) {
        if self.sources_open > 0 || self.waiting.is_empty() {
            return;
        }
        for line in &self.lines {
            println!("{line}");
        }
        for reply in self.waiting.drain(..) {
            let _ = reply.send(i32::try_from(self.lines.len()).unwrap_or(i32::MAX));
        }
    }
}

struct Collector {
    scheduler: Arc<dyn Scheduler>,
    book: Arc<Mutex<Book>>,
    started: Instant,
}

impl Logger for Collector {
    /// A task for each source. mage lends the scheduler it was given; `tokio::spawn` or `executor.spawn` do as well where
    /// it is known what the program runs on.
    fn add_source(&mut self, name: String, log: MessagePipe) {
        let mut source = Source { name, book: Arc::clone(&self.book), started: self.started };
        lock(&self.book).sources_open += 1;
        self.scheduler.spawn(Box::pin(async move {
            let end = Receiver::<dyn Log>::new(log).serve(&mut source).await;
            source.write(match end {
                Ok(()) => "(end of the log)".to_owned(),
                Err(why) => format!("(the log breaks off: {why})"),
            });
            let mut book = lock(&source.book);
            book.sources_open -= 1;
            book.print_if_complete();
        }));
    }

    fn print(&mut self, reply: Reply<i32>) {
        let mut book = lock(&self.book);
        book.waiting.push(reply);
        book.print_if_complete();
    }
}

struct Source {
    name: String,
    book: Arc<Mutex<Book>>,
    started: Instant,
}

impl Log for Source {
    fn write(&mut self, line: String) {
        let heading = format!("{:>8.3} s  {}", self.started.elapsed().as_secs_f64(), self.name);
        lock(&self.book).lines.push(format!("  {}  {line}", style(heading).dim()));
    }
}

fn lock(book: &Mutex<Book>) -> std::sync::MutexGuard<'_, Book> {
    // Nothing above can leave the book half-written.
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
