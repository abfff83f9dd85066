//! One binary of tests, by subject.

mod calls;
mod evolution;
mod handles;
mod hostile;
mod in_place;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod injected;
mod invitation;
mod mapped;
mod membership;
mod network;
mod original_core;
mod original_mage;
mod pipes;
mod rejection;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sandbox;
mod seeing;
mod sets;
mod settling;
mod simulated;
mod slices;
mod slow_reader;
mod streams;
mod support;
mod tidy;
