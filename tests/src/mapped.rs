//! Types of ours in the place of those of the interface language.

use std::convert::Infallible;

use mage::Mapped;

/// A part of a hundred. Nothing keeps a test from making one that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u8);

impl Mapped<u8> for Percent {
    type Error = String;

    fn to_wire(&self) -> u8 {
        self.0
    }

    fn from_wire(number: u8) -> Result<Self, String> {
        if number <= 100 { Ok(Self(number)) } else { Err(format!("{number} is more than all")) }
    }
}

/// A word; empty if there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(pub String);

impl Mapped<Option<String>> for Word {
    type Error = Infallible;

    fn to_wire(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.clone())
    }

    fn from_wire(word: Option<String>) -> Result<Self, Infallible> {
        Ok(Self(word.unwrap_or_default()))
    }
}
