//! [`Expected`]: what a mock does when one of its methods is called.

use std::collections::VecDeque;
use std::fmt;

/// The answers of one method of a mock, whose arguments are the tuple `A`: those of the handler, with the
/// [`Reply`](crate::Reply) at the end if there is one.
///
/// ```
/// let mut greet = mage::testing::Expected::<(String,)>::default();
/// greet.once(|(name,)| assert_eq!(name, "ann"));
/// greet.always(|(name,)| assert_eq!(name, "bob"));
/// greet.call("Greeter.Greet", ("ann".to_owned(),)); // generated code does this
/// greet.call("Greeter.Greet", ("bob".to_owned(),));
/// assert_eq!(greet.calls(), 2);
/// assert!(greet.is_satisfied());
/// ```
pub struct Expected<A> {
    once: VecDeque<Box<dyn FnOnce(A) + Send>>,
    always: Option<Box<dyn FnMut(A) + Send>>,
    calls: usize,
}

impl<A> Expected<A> {
    /// Answers the next call for which nothing is expected yet.
    pub fn once(&mut self, answer: impl FnOnce(A) + Send + 'static) {
        self.once.push_back(Box::new(answer));
    }

    /// Answers every call for which nothing else is expected.
    pub fn always(&mut self, answer: impl FnMut(A) + Send + 'static) {
        self.always = Some(Box::new(answer));
    }

    /// How often it has been called.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// Whether every call that was expected once has been made.
    pub fn is_satisfied(&self) -> bool {
        self.once.is_empty()
    }

    /// A call of `method`.
    ///
    /// # Panics
    /// If it was not expected. [`Receiver::serve`](crate::Receiver::serve) makes an error of it.
    #[track_caller]
    pub fn call(&mut self, method: &str, arguments: A) {
        self.calls += 1;
        match (self.once.pop_front(), &mut self.always) {
            (Some(once), _) => once(arguments),
            (None, Some(always)) => always(arguments),
            (None, None) => panic!("call number {} of {method} was not expected", self.calls),
        }
    }
}

impl<A> Default for Expected<A> {
    fn default() -> Self {
        Self { once: VecDeque::new(), always: None, calls: 0 }
    }
}

impl<A> fmt::Debug for Expected<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Expected")
            .field("once", &self.once.len())
            .field("always", &self.always.is_some())
            .field("calls", &self.calls)
            .finish()
    }
}
