//! [`RemoteSet`]: many remotes of one interface, to tell all of them the same.

use std::fmt;
use std::future::poll_fn;

use super::crowd::{Crowd, EndId};
use super::interface::Interface;
use super::remote::Remote;
use crate::error::{SendError, SendErrorKind, Why};

/// Remotes of one interface: the observers of something, the clients of a service.
///
/// ```
/// use mage::{Node, Receiver, Remote, RemoteSet};
/// # mod fixtures { mage_macros::magen! { interface Observer { Changed(string name); } } }
/// # use fixtures::*;
///
/// let mut event_loop = mage::event_loop::EventLoop::new()?;
/// let node = Node::new(event_loop.scheduler());
/// let mut observers = RemoteSet::<dyn Observer>::new();
/// let (ours, theirs) = node.create_message_pipes();
/// let id = observers.add(Remote::new(ours));
/// let mut receiver = Receiver::<dyn Observer>::new(theirs);
///
/// let failed = observers.broadcast(|observer| observer.changed("colour"));
/// assert!(failed.is_empty());
/// event_loop.run_until(async {
///     let ObserverMessage::Changed { name } = receiver.recv().await?.expect("it was told");
///     assert_eq!(name, "colour");
///     drop(receiver);
///     assert_eq!(observers.disconnected().await, Some((id, mage::Why::Closed)));
///     assert!(observers.is_empty());
///     Ok::<(), mage::RecvError>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RemoteSet<T: Interface + ?Sized> {
    crowd: Crowd<Remote<T>>,
}

impl<T: Interface + ?Sized> RemoteSet<T> {
    /// A set without remotes.
    pub fn new() -> Self {
        Self { crowd: Crowd::new() }
    }

    /// Adds a remote. Returns the number under which it is known from now on.
    pub fn add(&mut self, remote: Remote<T>) -> EndId {
        let id = self.crowd.ids.next();
        self.crowd.insert(id, remote);
        id
    }

    /// The remote with this number.
    pub fn get(&self, id: EndId) -> Option<&Remote<T>> {
        self.crowd.get(id)
    }

    /// Takes a remote out.
    pub fn remove(&mut self, id: EndId) -> Option<Remote<T>> {
        self.crowd.remove(id)
    }

    /// All remotes, in the order in which they were added: for calls with an answer, for instance.
    pub fn iter(&self) -> impl Iterator<Item = (EndId, &Remote<T>)> {
        self.crowd.iter()
    }

    /// How many remotes there are.
    pub fn len(&self) -> usize {
        self.crowd.len()
    }

    /// Whether there is no remote.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends the same to every remote, and returns those that did not take it, and why. A remote whose other end is gone
    /// leaves the set; one that is only full stays.
    pub fn broadcast(
        &mut self,
        mut send: impl FnMut(&T::Proxy) -> Result<(), SendError>,
    ) -> Vec<(EndId, SendError)> {
        let refused = |(id, remote): (EndId, &Remote<T>)| Some((id, send(remote).err()?));
        let failed: Vec<(EndId, SendError)> = self.crowd.iter().filter_map(refused).collect();
        for (id, error) in &failed {
            if error.kind() == SendErrorKind::Disconnected {
                self.crowd.remove(*id);
            }
        }
        failed
    }

    /// Waits until the other end of a remote is gone, takes that remote out, and says why. `None` when there is no remote.
    /// Cancellation-safe.
    pub async fn disconnected(&mut self) -> Option<(EndId, Why)> {
        if self.is_empty() {
            return None;
        }
        let (id, why) =
            poll_fn(|context| self.crowd.poll_any(context, |remote, cx| Remote::poll_closed(remote, cx)))
                .await;
        self.crowd.remove(id);
        Some((id, why))
    }
}

impl<T: Interface + ?Sized> Default for RemoteSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Interface + ?Sized> fmt::Debug for RemoteSet<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RemoteSet").field("interface", &T::NAME).field("ends", &self.crowd).finish()
    }
}
