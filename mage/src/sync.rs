//! The only file of this crate that names `std::sync`'s locks: under `cfg(loom)` the model checker's take their place.

#[cfg(not(loom))]
pub(crate) use plain::*;

#[cfg(loom)]
pub(crate) use modelled::*;

#[cfg(not(loom))]
mod plain {
    #![expect(clippy::disallowed_types, reason = "this is the facade the lint points to")]

    pub(crate) use std::sync::{Arc, MutexGuard};

    /// A lock that ignores poison: what it guards is consistent between any two statements that can panic.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(std::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}

#[cfg(loom)]
mod modelled {
    pub(crate) use loom::sync::{Arc, MutexGuard};

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}
