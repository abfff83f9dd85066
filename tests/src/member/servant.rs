//! The side that is told.

use std::collections::BTreeMap;
use std::env;
use std::process::{self, Command};
use std::sync::Arc;

use futures::StreamExt;
use futures::channel::mpsc;
use mage::sched::Scheduler;
use mage::{Listener, MessagePipe, Node, RawMessage, Receiver, Reply, Why};
use mage_sched::sync::Mutex;

use super::{descriptors, file_of, text_in};
use crate::fixtures::{Member, MemberEndEachResponse, MemberListenResponse, MemberLookResponse};
use crate::words::end_of;
use crate::{Flavor, Stage, role};

/// Does what it is told at `pipe`, and at the pipes that it is told to, until nobody can tell it anything any more.
pub async fn be_told(stage: &Stage, node: &Node, pipe: MessagePipe) {
    let (alive, mut over) = mpsc::channel::<()>(0);
    let kept = Kept {
        node: node.clone(),
        scheduler: Arc::clone(&stage.scheduler),
        flavor: stage.flavor,
        pipes: Mutex::new(BTreeMap::new()),
        offers: Mutex::new(Vec::new()),
    };
    Servant { kept: Arc::new(kept), alive }.serve(pipe);
    while over.next().await.is_some() {}
}

struct Kept {
    node: Node,
    scheduler: Arc<dyn Scheduler>,
    flavor: Flavor,
    pipes: Mutex<BTreeMap<String, Arc<MessagePipe>>>,
    offers: Mutex<Vec<Listener>>,
}

/// The side that is told.
struct Servant {
    kept: Arc<Kept>,
    alive: mpsc::Sender<()>,
}

fn fail(why: &str) -> ! {
    eprintln!("mage-test-child: {why}");
    process::exit(1)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl Servant {
    fn serve(mut self, pipe: MessagePipe) {
        let scheduler = Arc::clone(&self.kept.scheduler);
        scheduler.spawn(Box::pin(async move {
            // Whoever told it may be killed; that is what the tests do.
            let _ = Receiver::<dyn Member>::new(pipe).serve(&mut self).await;
        }));
    }

    fn keep(&self, name: String, pipe: MessagePipe) {
        if self.kept.pipes.lock().insert(name, Arc::new(pipe)).is_some() {
            fail("there is a pipe of that name already");
        }
    }

    fn pipe(&self, name: &str) -> Arc<MessagePipe> {
        let pipe = self.kept.pipes.lock().get(name).cloned();
        pipe.unwrap_or_else(|| fail(&format!("no pipe is called {name}")))
    }

    fn take_out(&self, name: &str) -> MessagePipe {
        let pipe = self.kept.pipes.lock().remove(name);
        let pipe = pipe.unwrap_or_else(|| fail(&format!("no pipe is called {name}")));
        Arc::into_inner(pipe).unwrap_or_else(|| fail(&format!("{name} is in use")))
    }

    fn all(&self, beginning: &str) -> Vec<Arc<MessagePipe>> {
        let pipes = self.kept.pipes.lock();
        pipes
            .iter()
            .filter(|(name, _)| name.starts_with(beginning))
            .map(|(_, pipe)| Arc::clone(pipe))
            .collect()
    }

    /// Answers with what the future comes to, and goes on with other orders meanwhile.
    fn answer<T: Send + 'static>(
        &self,
        reply: Reply<T>,
        send: impl FnOnce(Reply<T>, T) + Send + 'static,
        answer: impl Future<Output = T> + Send + 'static,
    ) {
        self.kept.scheduler.spawn(Box::pin(async move {
            let answer = answer.await;
            send(reply, answer);
        }));
    }
}

async fn say(pipe: &MessagePipe, number: i32, file: bool) -> bool {
    let text = number.to_string();
    pipe.ready().await;
    let handles = if file { vec![file_of(&text)] } else { Vec::new() };
    pipe.try_send(RawMessage { bytes: text.into_bytes(), pipes: Vec::new(), handles }).is_ok()
}

/// Whether the number came, and whether a file with it.
async fn hear(pipe: &MessagePipe, number: i32) -> Option<bool> {
    let message = pipe.recv().await.ok()?;
    let text = number.to_string();
    let same = message.bytes == text.as_bytes();
    let mut files = message.handles.into_iter();
    let file = files.next().map(text_in);
    (same && file.as_ref().is_none_or(|content| *content == text)).then_some(file.is_some())
}

macro_rules! answer {
    ($servant:ident, $reply:ident, $answer:expr) => {
        $servant.answer(
            $reply,
            |reply, answer| {
                // Whoever asked may be gone by now.
                let _ = reply.send(answer);
            },
            $answer,
        )
    };
}

impl Member for Servant {
    fn ping(&mut self, reply: Reply<()>) {
        let _ = reply.send(());
    }

    fn look(&mut self, reply: Reply<MemberLookResponse>) {
        let seen = self.kept.node.inspect();
        let _ = reply.send(MemberLookResponse {
            name: seen.names.first().map(ToString::to_string).unwrap_or_default(),
            ends: count(seen.ends),
            proxies: count(seen.proxies),
            links: count(seen.links.len()),
            broker: seen.links.iter().any(|link| link.is_broker),
            unread: seen.pipes.iter().map(|pipe| pipe.unread_messages as i32).sum(),
            descriptors: count(descriptors()),
        });
    }

    fn launch(&mut self, receiver: MessagePipe, reply: Reply<i32>) {
        let launched = env::current_exe().and_then(|program| {
            let mut command = Command::new(program);
            self.kept.node.launch_pipe(command.args([self.kept.flavor.name(), role::MEMBER]))
        });
        let Ok(launched) = launched else { fail("the child does not start") };
        // Whoever told us speaks with the child from now on, and with it alone.
        if launched.remote.fuse(receiver).is_err() {
            fail("two new pipes cannot be fused");
        }
        let _ = reply.send(i32::try_from(launched.child.id()).unwrap_or(0));
    }

    fn make(&mut self, first: String, second: String) {
        let (one, other) = self.kept.node.create_message_pipes();
        self.keep(first, one);
        self.keep(second, other);
    }

    fn put(&mut self, name: String, pipe: MessagePipe) {
        self.keep(name, pipe);
    }

    fn take(&mut self, name: String, reply: Reply<MessagePipe>) {
        let _ = reply.send(self.take_out(&name));
    }

    fn close(&mut self, beginning: String, reply: Reply<()>) {
        let closed = {
            let mut pipes = self.kept.pipes.lock();
            let (closed, left) =
                std::mem::take(&mut *pipes).into_iter().partition(|(name, _)| name.starts_with(&beginning));
            *pipes = left;
            let closed: BTreeMap<String, Arc<MessagePipe>> = closed;
            closed
        };
        drop(closed);
        let _ = reply.send(());
    }

    fn carry(&mut self, over: String, name: String, reply: Reply<()>) {
        let (over, pipe) = (self.pipe(&over), self.take_out(&name));
        answer!(self, reply, async move {
            over.ready().await;
            let message = RawMessage { pipes: vec![pipe], ..RawMessage::default() };
            if over.try_send(message).is_err() {
                fail("the pipe cannot be carried");
            }
        });
    }

    fn unpack(&mut self, over: String, name: String, reply: Reply<bool>) {
        let pipe = self.pipe(&over);
        let kept = Arc::clone(&self.kept);
        answer!(self, reply, async move {
            let Ok(mut message) = pipe.recv().await else { return false };
            let Some(came) = message.pipes.pop() else { return false };
            kept.pipes.lock().insert(name, Arc::new(came)).is_none()
        });
    }

    fn relay(&mut self, source: String, target: String) {
        let (source, target) = (self.pipe(&source), self.pipe(&target));
        self.kept.scheduler.spawn(Box::pin(async move {
            while let Ok(message) = source.recv().await {
                target.ready().await;
                if target.try_send(message).is_err() {
                    return;
                }
            }
        }));
    }

    fn mirror(&mut self, name: String) {
        self.relay(name.clone(), name);
    }

    fn recite(&mut self, name: String, first: i32, count: i32, files: bool, reply: Reply<i32>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move {
            let mut sent = 0;
            for number in first..first + count {
                sent += i32::from(say(&pipe, number, files && number % 2 == 1).await);
            }
            sent
        });
    }

    fn listen(&mut self, name: String, first: i32, count: i32, reply: Reply<MemberListenResponse>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move {
            let (mut heard, mut files) = (0, 0);
            for number in first..first + count {
                let Some(file) = hear(&pipe, number).await else { break };
                heard += 1;
                files += i32::from(file);
            }
            MemberListenResponse { heard, files }
        });
    }

    fn converse(&mut self, name: String, count: i32, reply: Reply<i32>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move {
            let mut heard = 0;
            for number in 0..count {
                if !say(&pipe, number, false).await || hear(&pipe, number).await.is_none() {
                    break;
                }
                heard += 1;
            }
            heard
        });
    }

    fn say_each(&mut self, beginning: String, reply: Reply<i32>) {
        let pipes = self.all(&beginning);
        answer!(self, reply, async move {
            let mut sent = 0;
            for pipe in pipes {
                sent += i32::from(say(&pipe, 0, false).await);
            }
            sent
        });
    }

    fn hear_each(&mut self, beginning: String, reply: Reply<i32>) {
        let pipes = self.all(&beginning);
        answer!(self, reply, async move {
            let mut heard = 0;
            for pipe in pipes {
                heard += i32::from(hear(&pipe, 0).await.is_some());
            }
            heard
        });
    }

    fn end_each(&mut self, beginning: String, reply: Reply<MemberEndEachResponse>) {
        let pipes = self.all(&beginning);
        answer!(self, reply, async move {
            let (mut closed, mut broken) = (0, 0);
            for pipe in pipes {
                match end_of(&pipe).await {
                    Why::Closed => closed += 1,
                    _ => broken += 1,
                }
            }
            MemberEndEachResponse { closed, broken }
        });
    }

    fn end(&mut self, name: String, reply: Reply<String>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move { format!("{:?}", end_of(&pipe).await) });
    }

    fn is_direct(&mut self, name: String, reply: Reply<bool>) {
        let _ = reply.send(self.pipe(&name).is_direct());
    }

    fn fuse(&mut self, first: String, second: String, reply: Reply<bool>) {
        let (first, second) = (self.take_out(&first), self.take_out(&second));
        let _ = reply.send(first.fuse(second).is_ok());
    }

    fn offer(&mut self, path: String, reply: Reply<String>) {
        let error = match self.kept.node.listen(path) {
            Ok(listener) => {
                self.kept.offers.lock().push(listener);
                String::new()
            }
            Err(error) => error.kind().to_string(),
        };
        let _ = reply.send(error);
    }

    fn migrate(&mut self, path: String) {
        let servant = Self { kept: Arc::clone(&self.kept), alive: self.alive.clone() };
        self.kept.scheduler.spawn(Box::pin(async move {
            let node = servant.kept.node.clone();
            if node.leave().await.is_err() {
                fail("there is no random number");
            }
            match node.connect(&path).await {
                Ok(pipe) => servant.serve(pipe),
                Err(error) => fail(&format!("nobody takes it in at {path}: {error}")),
            }
        }));
    }

    fn broker_lost(&mut self, reply: Reply<()>) {
        let node = self.kept.node.clone();
        answer!(self, reply, async move { node.broker_lost().await });
    }

    fn drain(&mut self, reply: Reply<()>) {
        let node = self.kept.node.clone();
        answer!(self, reply, async move { node.drain().await });
    }

    fn leave(&mut self) {
        let pipes = std::mem::take(&mut *self.kept.pipes.lock());
        drop(pipes);
        let node = self.kept.node.clone();
        self.kept.scheduler.spawn(Box::pin(async move {
            node.shutdown().await;
            process::exit(0);
        }));
    }
}
