//! What the tests share: the schedulers, and a child process.

mod matrix;

pub use matrix::{Flavor, Stage, run};

/// The generated interfaces.
#[expect(missing_docs, reason = "fixtures")]
pub mod fixtures {
    mage::include_magen!("fixtures");
}
