//! The network process: fetches what it is told to, and writes a log.

use std::fs::File;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mage::{MessagePipe, Node, Remote, Reply};

use crate::Error;
use crate::interfaces::{FetchObserver, Log, NetworkProcess, NetworkProcessInspectResponse};
use crate::options::NetworkOptions;
use crate::sandbox::Sandbox;

/// No more than one message about progress in this time: the eye sees no more.
const REPORT_INTERVAL: Duration = Duration::from_millis(40);

/// Serves the process that launched this one until that has no more to ask.
pub(crate) fn run(options: NetworkOptions) -> Result<ExitCode, Error> {
    // Before there is any other thread, for threads inherit it.
    let sandbox = options.sandbox.then(Sandbox::without_files).transpose()?;
    options.runtime.run(async |scheduler| {
        let node = Node::new(scheduler);
        let receiver = node.inherited_receiver::<dyn NetworkProcess>().await?;
        // The start is over, and not a byte from a stranger has been read.
        if let Some(sandbox) = sandbox {
            sandbox.limit_calls()?;
        }
        receiver.serve(&mut Network::new(&node, options.takeover)).await?;
        node.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

struct Network {
    node: Node,
    agent: ureq::Agent,
    log: Arc<Remote<dyn Log>>,
    /// The other end of `log`, until somebody asks for it. What is written meanwhile waits in it.
    log_reader: Option<MessagePipe>,
    /// Whether the first page that comes takes this process over.
    takeover: Arc<AtomicBool>,
}

impl Network {
    fn new(node: &Node, takeover: bool) -> Self {
        let (writer, reader) = node.create_message_pipes();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .build();
        let log = Arc::new(Remote::<dyn Log>::new(writer));
        let takeover = Arc::new(AtomicBool::new(takeover));
        Self { node: node.clone(), agent: config.into(), log, log_reader: Some(reader), takeover }
    }
}

impl NetworkProcess for Network {
    /// A thread for each fetch, because the client blocks. (The main process asks for a few at a time.) The observer and
    /// the right to reply go with it: they can be used from anywhere.
    fn fetch_url(&mut self, url: String, observer: MessagePipe, reply: Reply<String>) {
        let observer = Remote::<dyn FetchObserver>::new(observer);
        let fetch = Fetch { agent: self.agent.clone(), log: Arc::clone(&self.log), observer };
        let takeover = Arc::clone(&self.takeover);
        thread::spawn(move || {
            let failure = match fetch.run(&url) {
                Ok(()) => String::new(),
                Err(error) => error.to_string(),
            };
            if takeover.swap(false, Ordering::Relaxed) {
                // What a stranger would do who has got in by this page.
                let mut shell = Command::new("sh");
                fetch.write(match shell.args(["-c", "exit"]).stdin(Stdio::inherit()).output() {
                    Ok(_) => format_args!("a shell was started"),
                    Err(_) => format_args!("no shell could be started"),
                });
            }
            // If the main process has gone, nobody minds.
            let _ = reply.send(failure);
        });
    }

    /// The second to ask gets no answer: the reply is dropped, and the caller learns that.
    fn open_log(&mut self, reply: Reply<MessagePipe>) {
        if let Some(reader) = self.log_reader.take() {
            let _ = reply.send(reader);
        }
    }

    fn inspect(&mut self, reply: Reply<NetworkProcessInspectResponse>) {
        let _ = reply.send(NetworkProcessInspectResponse {
            node: self.node.inspect().to_string(),
            log_is_direct: Remote::is_direct(&self.log),
        });
    }
}

/// One fetch, on a thread of its own.
struct Fetch {
    agent: ureq::Agent,
    log: Arc<Remote<dyn Log>>,
    observer: Remote<dyn FetchObserver>,
}

impl Fetch {
    fn run(&self, url: &str) -> Result<(), ureq::Error> {
        self.write(format_args!("GET {url}"));
        let result = self.transfer(url);
        match &result {
            Ok((status, received)) => self.write(format_args!("{status} {url}, {received} bytes")),
            Err(error) => self.write(format_args!("{url}: {error}")),
        }
        result.map(drop)
    }

    /// Returns the status and the number of bytes.
    fn transfer(&self, url: &str) -> Result<(u16, i64), ureq::Error> {
        let started = Instant::now();
        if let Some(path) = url.strip_prefix("file://") {
            let file = File::open(path)?;
            let size = i64::try_from(file.metadata()?.len()).ok();
            return Ok((200, self.pass_on((200, size), file, started)?));
        }
        let mut request = self.agent.get(url);
        if url.starts_with("http://127.0.0.1") {
            // No proxy knows the way to this machine's own site.
            request = request.config().proxy(None).build();
        }
        let response = request.call()?;
        let status = response.status().as_u16();
        let size = response.body().content_length().and_then(|size| i64::try_from(size).ok());
        let received = self.pass_on((status, size), response.into_body().into_reader(), started)?;
        Ok((status, received))
    }

    /// Tells the observer how it goes on, and returns the number of bytes. An observer that does not read, or has gone, misses
    /// something, and that is its own affair.
    fn pass_on(
        &self,
        (status, size): (u16, Option<i64>),
        mut body: impl Read,
        started: Instant,
    ) -> Result<i64, ureq::Error> {
        let _ = self.observer.on_response(i32::from(status), size.unwrap_or(-1));
        let mut buffer = vec![0; 64 * 1024];
        let (mut received, mut reported) = (0, started);
        loop {
            let count = body.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            received += i64::try_from(count).unwrap_or(i64::MAX);
            if reported.elapsed() > REPORT_INTERVAL {
                reported = Instant::now();
                let _ = self.observer.on_received(received);
            }
        }
        let _ = self.observer.on_finished(received, started.elapsed().as_secs_f64());
        Ok(received)
    }

    fn write(&self, line: std::fmt::Arguments<'_>) {
        // A log that nobody reads fills up, and then loses lines rather than stopping the work.
        let _ = self.log.write(&line.to_string());
    }
}
