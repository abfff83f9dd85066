//! One body, every scheduler.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use futures::channel::oneshot;
use futures::future::BoxFuture;

use mage::sched::{LocalScheduler, Scheduler};

use crate::Watchdog;

/// A scheduler that the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// The built-in loop.
    Loop,
    /// Tokio with several threads.
    TokioMulti,
    /// Tokio on the calling thread.
    TokioCurrent,
    /// Tokio's `LocalSet`.
    TokioLocal,
    /// A smol executor.
    Smol,
    /// A smol executor beside a `LocalExecutor`.
    SmolLocal,
}

impl Flavor {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Loop, Self::TokioMulti, Self::TokioCurrent, Self::TokioLocal, Self::Smol, Self::SmolLocal];

    /// The name that [`FromStr`] understands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loop => "loop",
            Self::TokioMulti => "tokio_multi",
            Self::TokioCurrent => "tokio_current",
            Self::TokioLocal => "tokio_local",
            Self::Smol => "smol",
            Self::SmolLocal => "smol_local",
        }
    }
}

impl FromStr for Flavor {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|flavor| flavor.name() == name)
            .ok_or_else(|| format!("no scheduler is called {name}"))
    }
}

/// What a body runs on.
#[derive(Clone)]
pub struct Stage {
    /// Which one it is.
    pub flavor: Flavor,
    /// Its scheduler.
    pub scheduler: Arc<dyn Scheduler>,
    /// Its local scheduler, where it has one.
    pub local: Option<Rc<dyn LocalScheduler>>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stage").field("flavor", &self.flavor).finish_non_exhaustive()
    }
}

impl Stage {
    /// A new node on this scheduler.
    pub fn node(&self) -> mage::Node {
        mage::Node::new(Arc::clone(&self.scheduler))
    }

    /// A new node on this scheduler, with limits of its own.
    pub fn node_with(&self, limits: mage::Limits) -> mage::Node {
        mage::Node::builder(Arc::clone(&self.scheduler)).limits(limits).build()
    }

    /// Two nodes on this scheduler, each with its end of the pipe between them. The first has invited the second.
    ///
    /// # Panics
    /// If they do not come together.
    pub async fn linked(&self) -> ((mage::Node, mage::MessagePipe), (mage::Node, mage::MessagePipe)) {
        let (inviter, guest) = (self.node(), self.node());
        let (sent, accepted) = crate::words::invite(&inviter, &guest).await;
        ((inviter, sent), (guest, accepted))
    }

    /// Runs a task beside the body.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.scheduler.spawn(Box::pin(task));
    }

    /// Starts it now, so that it goes on while something else is awaited.
    pub fn start<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, T> {
        let (done, result) = oneshot::channel();
        self.spawn(async move {
            let _ = done.send(future.await);
        });
        Box::pin(async { result.await.expect("the scheduler lives as long as the test") })
    }
}

type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Runs `body` to its end on a fresh scheduler of that flavor.
///
/// # Panics
/// If the scheduler cannot be made, or the body panics.
pub fn run<T, F, B>(flavor: Flavor, body: B) -> T
where
    F: Future<Output = T> + 'static,
    B: FnOnce(Stage) -> F,
{
    let _watchdog = Watchdog::start();
    let stage = |scheduler, local| Stage { flavor, scheduler, local };
    match flavor {
        Flavor::Loop => {
            let mut event_loop = mage_loop::EventLoop::new().expect("an event loop");
            let future: LocalFuture<T> =
                Box::pin(body(stage(event_loop.scheduler(), Some(event_loop.local()))));
            event_loop.run_until(future)
        }
        Flavor::TokioMulti | Flavor::TokioCurrent => {
            let mut builder = match flavor {
                Flavor::TokioMulti => tokio::runtime::Builder::new_multi_thread(),
                _ => tokio::runtime::Builder::new_current_thread(),
            };
            let runtime = builder.worker_threads(2).enable_io().build().expect("a runtime");
            let scheduler = mage_tokio::from_handle(runtime.handle().clone());
            runtime.block_on(body(stage(scheduler, None)))
        }
        Flavor::TokioLocal => {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            let tasks = Rc::new(tokio::task::LocalSet::new());
            let scheduler = mage_tokio::from_handle(runtime.handle().clone());
            let local = mage_tokio::local(Rc::clone(&tasks));
            tasks.block_on(&runtime, body(stage(scheduler, Some(local))))
        }
        Flavor::Smol => {
            let executor = Arc::new(async_executor::Executor::new());
            let scheduler = mage_smol::scheduler(Arc::clone(&executor));
            smol::block_on(executor.run(body(stage(scheduler, None))))
        }
        Flavor::SmolLocal => {
            let shared = Arc::new(async_executor::Executor::new());
            let local = Rc::new(async_executor::LocalExecutor::new());
            let both = mage_smol::Local::from_executors(Arc::clone(&shared), Rc::clone(&local));
            let body = body(stage(both.scheduler(), Some(both.local_scheduler())));
            smol::block_on(both.run(body))
        }
    }
}

/// Makes a test of each body on each scheduler: a module per body, a test per scheduler. Attributes go to each test.
///
/// ```
/// async fn makes_pipes(stage: mage_tests::Stage) {
///     let (_first, _second) = stage.node().create_message_pipes();
/// }
///
/// mage_tests::on_every_scheduler! { makes_pipes }
/// ```
#[macro_export]
macro_rules! on_every_scheduler {
    ($($(#[$attribute:meta])* $name:ident)*) => {$(
        mod $name {
            $crate::on_every_scheduler!(@one $name, [$(#[$attribute])*] Loop r#loop, TokioMulti tokio_multi,
                TokioCurrent tokio_current, TokioLocal tokio_local, Smol smol, SmolLocal smol_local);
        }
    )*};
    (@one $body:ident, $attributes:tt $($flavor:ident $test:ident),*) => {$(
        $crate::on_every_scheduler!(@test $body, $attributes $flavor $test);
    )*};
    (@test $body:ident, [$(#[$attribute:meta])*] $flavor:ident $test:ident) => {
        #[test]
        $(#[$attribute])*
        fn $test() {
            $crate::run($crate::Flavor::$flavor, super::$body);
        }
    };
}
