//! Receivers that own what they call: an object that lives for as long as its pipe.

use mage_sched::{LocalScheduler, Scheduler};

use super::interface::{Dispatch, Interface};
use super::receiver::Receiver;
use crate::error::RecvError;

impl<T: Interface + ?Sized> Receiver<T> {
    /// [`Receiver::serve`], of a handler that goes with the pipe: it is dropped when the other end is closed, when the pipe
    /// breaks, or when the future is dropped.
    ///
    /// # Errors
    /// As [`Receiver::serve`].
    pub async fn serve_owned<H>(self, mut handler: H) -> Result<(), RecvError>
    where
        T::Message: Dispatch<H>,
    {
        self.serve(&mut handler).await
    }

    /// Serves a handler that lives for as long as its pipe, in a task of its own.
    ///
    /// How the pipe ended is said to nobody; spawn [`Receiver::serve_owned`] where it matters.
    ///
    /// ```
    /// use mage::{Node, Receiver, Remote};
    /// # mod fixtures { mage_macros::magen! { interface Logger { Log(string text); } } }
    /// # use fixtures::*;
    /// struct Lines(Vec<String>);
    /// impl Logger for Lines {
    ///     fn log(&mut self, text: String) {
    ///         self.0.push(text);
    ///     }
    /// }
    ///
    /// let event_loop = mage::event_loop::EventLoop::new()?;
    /// let node = Node::new(event_loop.scheduler());
    /// let (ours, theirs) = node.create_message_pipes();
    /// Receiver::<dyn Logger>::new(theirs).spawn(&*event_loop.scheduler(), Lines(Vec::new()));
    /// Remote::<dyn Logger>::new(ours).log("kept until the remote is dropped")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn<H: Send + 'static>(self, scheduler: &dyn Scheduler, handler: H)
    where
        T: 'static,
        T::Message: Dispatch<H>,
    {
        scheduler.spawn(Box::pin(async move {
            let _ = self.serve_owned(handler).await;
        }));
    }

    /// [`Receiver::spawn`], of a handler that stays on its thread.
    pub fn spawn_local<H: 'static>(self, scheduler: &dyn LocalScheduler, handler: H)
    where
        T: 'static,
        T::Message: Dispatch<H>,
    {
        scheduler.spawn_local(Box::pin(async move {
            let _ = self.serve_owned(handler).await;
        }));
    }
}
