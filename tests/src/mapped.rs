//! Types of ours in the place of those of the interface language.

use std::convert::Infallible;

use mage::{ByteString, Mapped};

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

/// What is written on something: a slice of the message that said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(pub ByteString);

impl Mapped<ByteString> for Label {
    type Error = &'static str;

    fn to_wire(&self) -> ByteString {
        self.0.clone()
    }

    fn from_wire(text: ByteString) -> Result<Self, &'static str> {
        if text.is_empty() { Err("nothing is written there") } else { Ok(Self(text)) }
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
