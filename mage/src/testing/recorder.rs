//! [`Recorder`]: a handler that writes down what it is called with, and passes it on.

use std::fmt;
use std::sync::Arc;

use mage_sched::sync::Mutex;

/// Implements every interface that `H` implements and for which `magen` was asked for mocks: each call is written down, then
/// made.
#[derive(Debug)]
pub struct Recorder<H> {
    handler: H,
    record: Record,
}

/// What a [`Recorder`] has written down. Clones are the same record, so that it can be read while the recorder is served.
#[derive(Clone, Debug, Default)]
pub struct Record {
    calls: Arc<Mutex<Vec<RecordedCall>>>,
}

/// One call. Its text is `Method(name: value, ..)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    /// The method, as it is called in the `.magen` file.
    pub method: &'static str,
    /// The arguments, each with its name, as `Debug` shows them.
    pub arguments: Vec<(&'static str, String)>,
}

impl<H> Recorder<H> {
    /// Passes calls on to `handler`.
    pub fn new(handler: H) -> Self {
        Self { handler, record: Record::default() }
    }

    /// What has been called so far, and will be.
    pub fn record(&self) -> Record {
        self.record.clone()
    }

    /// The handler.
    pub fn into_inner(self) -> H {
        self.handler
    }

    /// Writes down a call, and returns whom to make it to: for generated code.
    pub fn passing_on(
        &mut self,
        method: &'static str,
        arguments: &[(&'static str, &dyn fmt::Debug)],
    ) -> &mut H {
        // Formatting runs foreign code: before the lock is taken.
        let shown = arguments.iter().map(|(name, value)| (*name, format!("{value:?}")));
        let call = RecordedCall { method, arguments: shown.collect() };
        self.record.calls.lock().push(call);
        &mut self.handler
    }
}

impl Record {
    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.calls.lock().clone()
    }
}

impl fmt::Display for RecordedCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}(", self.method)?;
        for (position, (name, value)) in self.arguments.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(formatter, "{comma}{name}: {value}")?;
        }
        formatter.write_str(")")
    }
}
