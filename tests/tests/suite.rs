//! One binary of tests, by subject.

mod network;
mod original_core;
mod original_mage;
mod pipes;
