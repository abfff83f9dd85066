//! What the original let a program do, and died of or regretted, and what the compiler says to it here.
//!
//! Each of these is a test: it passes because the program does not compile. The second of each pair, which differs in
//! one line, does compile, so that the first cannot fail for some other reason.
//!
//! # `UseUnboundRemoteCrashes`
//! There is no unbound remote.
//!
//! ```compile_fail,E0061
//! use mage::Remote;
//! use mage_tests::fixtures::FirstInterface;
//! let unbound = Remote::<dyn FirstInterface>::new();
//! ```
//!
//! ```
//! use mage::Remote;
//! use mage_tests::fixtures::FirstInterface;
//! # let event_loop = mage::event_loop::EventLoop::new()?;
//! # let node = mage::Node::new(event_loop.scheduler());
//! # let (pipe, other) = node.create_message_pipes();
//! let bound = Remote::<dyn FirstInterface>::new(pipe);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # `UseUnboundRemoteCrashes2`
//! Unbinding a remote consumes it.
//!
//! ```compile_fail,E0382
//! use mage::{MessagePipe, Remote};
//! use mage_tests::fixtures::FirstInterface;
//! fn unbind(remote: Remote<dyn FirstInterface>) -> MessagePipe {
//!     let pipe = Remote::into_pipe(remote);
//!     let _ = remote.send_string("to nobody");
//!     pipe
//! }
//! ```
//!
//! ```
//! use mage::{MessagePipe, Remote};
//! use mage_tests::fixtures::FirstInterface;
//! fn unbind(remote: Remote<dyn FirstInterface>) -> MessagePipe {
//!     let _ = remote.send_string("to somebody");
//!     Remote::into_pipe(remote)
//! }
//! ```
//!
//! # `SendBoundRemoteTechnicallyAllowedUnitTest` and `SendBoundReceiverUnitTest`
//! A bound end is no pipe, so it cannot be put into a message.
//!
//! ```compile_fail,E0308
//! use mage::Remote;
//! use mage_tests::fixtures::{FirstInterface, SecondInterface};
//! fn send(over: &Remote<dyn FirstInterface>, bound: Remote<dyn SecondInterface>) {
//!     let _ = over.send_second_interface_receiver(bound);
//! }
//! ```
//!
//! ```compile_fail,E0308
//! use mage::{Receiver, Remote};
//! use mage_tests::fixtures::{FirstInterface, SecondInterface};
//! fn send(over: &Remote<dyn FirstInterface>, bound: Receiver<dyn SecondInterface>) {
//!     let _ = over.send_second_interface_receiver(bound);
//! }
//! ```
//!
//! ```
//! use mage::{Receiver, Remote};
//! use mage_tests::fixtures::{FirstInterface, SecondInterface};
//! fn send(over: &Remote<dyn FirstInterface>, bound: Receiver<dyn SecondInterface>) {
//!     let _ = over.send_second_interface_receiver(bound.into_pipe());
//! }
//! ```
//!
//! # One pipe, one owner
//! The original's pipe was a number that anybody could copy.
//!
//! ```compile_fail,E0382
//! use mage::{MessagePipe, Receiver};
//! use mage_tests::fixtures::FirstInterface;
//! fn bind_twice(pipe: MessagePipe) -> [Receiver<dyn FirstInterface>; 2] {
//!     [Receiver::new(pipe), Receiver::new(pipe)]
//! }
//! ```
//!
//! # A handler that must stay on its thread
//! Serving is `Send` exactly when the handler is, so this is refused where the task may be moved, and runs on a
//! `LocalScheduler`.
//!
//! ```compile_fail,E0277
//! use std::{cell::Cell, rc::Rc};
//! use mage::{Receiver, sched::Scheduler};
//! use mage_tests::fixtures::SecondInterface;
//! struct Local(Rc<Cell<u32>>);
//! impl SecondInterface for Local {
//!     fn send_string_and_notify_done(&mut self, _message: String) { self.0.set(1); }
//!     fn notify_done_via_callback(&mut self) {}
//! }
//! fn serve(scheduler: &dyn Scheduler, receiver: Receiver<dyn SecondInterface>, mut handler: Local) {
//!     scheduler.spawn(Box::pin(async move { let _ = receiver.serve(&mut handler).await; }));
//! }
//! ```
//!
//! ```
//! use std::{cell::Cell, rc::Rc};
//! use mage::{Receiver, sched::LocalScheduler};
//! use mage_tests::fixtures::SecondInterface;
//! struct Local(Rc<Cell<u32>>);
//! impl SecondInterface for Local {
//!     fn send_string_and_notify_done(&mut self, _message: String) { self.0.set(1); }
//!     fn notify_done_via_callback(&mut self) {}
//! }
//! fn serve(scheduler: &dyn LocalScheduler, receiver: Receiver<dyn SecondInterface>, mut handler: Local) {
//!     scheduler.spawn_local(Box::pin(async move { let _ = receiver.serve(&mut handler).await; }));
//! }
//! ```
