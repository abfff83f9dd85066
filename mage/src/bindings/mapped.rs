//! [`Mapped`]: types of users in the place of those of the interface language.

use std::fmt;
use std::marker::PhantomData;

use super::codec::{DecodeAs, EncodeAs};
use super::reader::Reader;
use super::value::DecodeError;
use super::writer::Writer;
use crate::error::BadMessage;

/// A type of the user's that stands, in Rust, for a type of the interface language: where an interface says
/// `[Rust="crate::Url"] string url`, a `String` travels, and handlers and callers see a `crate::Url`.
///
/// What a peer sends is converted when it is received, before any handler sees it. If that fails, the message is bad, and so is
/// the peer: the pipe is closed, and the error names the field.
///
/// ```
/// use mage::Mapped;
///
/// #[derive(Clone, Debug, PartialEq)]
/// pub struct Percent(u8);
///
/// impl Mapped<u8> for Percent {
///     type Error = String;
///
///     fn to_wire(&self) -> u8 {
///         self.0
///     }
///
///     fn from_wire(number: u8) -> Result<Self, String> {
///         if number <= 100 { Ok(Self(number)) } else { Err(format!("{number} is more than all")) }
///     }
/// }
/// # mod fixtures {
/// #     use super::Percent;
/// mage_macros::magen! {
///     interface Lamp { Dim([Rust="super::Percent"] uint8 brightness); }
/// }
/// # }
/// # use fixtures::*;
/// struct Dimmed(Percent);
/// impl Lamp for Dimmed {
///     fn dim(&mut self, brightness: Percent) {
///         self.0 = brightness;
///     }
/// }
/// # fn main() {}
/// ```
pub trait Mapped<W>: Sized {
    /// Why a value cannot be had from what came.
    type Error: fmt::Display;

    /// What travels.
    fn to_wire(&self) -> W;

    /// The value, of what came.
    ///
    /// # Errors
    /// If there is no such value.
    fn from_wire(wire: W) -> Result<Self, Self::Error>;
}

/// Carries `U` as what `C` carries.
#[derive(Debug)]
pub struct As<C, U>(PhantomData<(C, U)>);

impl<C: DecodeAs, U: Mapped<C::Value>> DecodeAs for As<C, U> {
    type Value = U;
    const SIZE_MIN: usize = C::SIZE_MIN;

    fn decode_as(reader: &mut Reader) -> Result<U, DecodeError> {
        let wire = C::decode_as(reader)?;
        U::from_wire(wire).map_err(|why| BadMessage::NotConverted { field: "", why: why.to_string() })
    }
}

impl<C: DecodeAs + EncodeAs<C::Value>, U: Mapped<C::Value>> EncodeAs<U> for As<C, U> {
    fn encode_as(value: U, writer: &mut Writer) {
        C::encode_as(value.to_wire(), writer);
    }
}

impl<C: DecodeAs + EncodeAs<C::Value>, U: Mapped<C::Value>> EncodeAs<&U> for As<C, U> {
    fn encode_as(value: &U, writer: &mut Writer) {
        C::encode_as(value.to_wire(), writer);
    }
}

impl Reader {
    /// Takes the value of a field by this name.
    ///
    /// # Errors
    /// If the message does not go on with such a value.
    pub fn take_field<C: DecodeAs>(&mut self, name: &'static str) -> Result<C::Value, DecodeError> {
        self.take_as::<C>().map_err(|bad| match bad {
            BadMessage::NotConverted { field: "", why } => BadMessage::NotConverted { field: name, why },
            other => other,
        })
    }
}
