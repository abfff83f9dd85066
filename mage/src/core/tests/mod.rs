//! Tests of the core.

mod admissions;
mod adversary;
mod asking;
mod boundaries;
mod campaign;
mod checks;
mod chooser;
mod circles;
mod configurations;
mod endpoints;
mod exhaustive;
mod joining;
mod mutations;
mod networks;
mod oracle;
mod random;
mod scenarios;
mod seeds;
mod token;
mod translate;
mod waiting;
mod windows;
mod world;
