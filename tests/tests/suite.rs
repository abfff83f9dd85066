//! One binary of tests, by subject.

mod original_core;
mod original_mage;
mod pipes;
