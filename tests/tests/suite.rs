//! One binary of tests, by subject.

mod calls;
mod evolution;
mod handles;
mod hostile;
mod invitation;
mod mapped;
mod membership;
mod network;
mod original_core;
mod original_mage;
mod pipes;
<<<<<<< HEAD
mod seeing;
=======
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sandbox;
>>>>>>> 24bdd8c (Hostile peers in a process of their own against one with little of everything; published system calls, enforced; an end that claims a larger window than anybody grants ends its pipe)
mod sets;
mod simulated;
mod streams;
mod support;
mod tidy;
