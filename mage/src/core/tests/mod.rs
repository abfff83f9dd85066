//! Tests of the core.

mod campaign;
mod checks;
mod chooser;
mod circles;
mod configurations;
mod exhaustive;
mod mutations;
mod oracle;
mod random;
mod scenarios;
mod token;
mod translate;
mod windows;
mod world;
