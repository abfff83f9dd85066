//! Values without generated code: messages are written and read by the schema itself.
//!
//! It is what tools are made of that meet interfaces at run time, and what generated code is held against in tests. The
//! bytes are those of `docs/MAGEN.md`, under "Types".
//!
//! ```
//! use magen::dynamic::{self, Random};
//!
//! let source = "interface Logger { Log(string text, int? level) => (bool kept); }";
//! dynamic::with_source(source, "logger.magen", |types| {
//!     let method = types.interface("Logger").and_then(|logger| logger.method(0)).unwrap();
//!     let value = method.parameters().random(&mut Random::new(7)).unwrap();
//!     let body = method.parameters().encode(&value).unwrap();
//!     assert_eq!(method.parameters().decode(&body).unwrap(), value);
//! })?;
//! # Ok::<(), magen::Diagnostics>(())
//! ```

mod decode;
mod defaults;
mod encode;
mod fault;
mod random;
mod value;

use std::fmt;
use std::path::Path;

pub use fault::{Fault, FaultKind};
pub use random::Random;
pub use value::{Body, Value};

use crate::compiler;
use crate::diagnostic::Diagnostics;
use crate::error::CompileError;
use crate::fingerprint;
use crate::loader::Sources;
use crate::schema::{self, DefinitionId, Kind, Schema, ValueType};

/// Hands the types of a source to `use_them`, if nothing is wrong with it. `file_name` is what diagnostics call it.
///
/// # Errors
/// Everything that is wrong with the source.
pub fn with_source<T>(
    source: impl AsRef<[u8]>,
    file_name: &str,
    use_them: impl FnOnce(Types<'_>) -> T,
) -> Result<T, Diagnostics> {
    let sources = Sources::from_text(file_name, source.as_ref().to_vec());
    sources.check(|schema| use_them(Types { schema })).map_err(|mut faults| faults.swap_remove(0))
}

/// Hands the types of a file, and of what it imports, to `use_them`.
///
/// # Errors
/// If the file cannot be read, or everything that is wrong with it and with what it imports.
pub fn with_file<T>(
    path: impl AsRef<Path>,
    use_them: impl FnOnce(Types<'_>) -> T,
) -> Result<T, CompileError> {
    let sources = compiler::load(path.as_ref())?;
    sources.check(|schema| use_them(Types { schema })).map_err(CompileError::from)
}

/// Everything that a file and its imports declare.
#[derive(Clone, Copy)]
pub struct Types<'a> {
    schema: &'a Schema<'a>,
}

impl<'a> Types<'a> {
    /// The interfaces, those of imported files first, in order of declaration.
    pub fn interfaces(self) -> impl Iterator<Item = Interface<'a>> {
        self.schema.ids().filter_map(move |(id, definition)| match &definition.kind {
            Kind::Interface(interface) => Some(Interface { schema: self.schema, id, interface }),
            _ => None,
        })
    }

    /// The interface of this name, with the module before it if it has one.
    pub fn interface(self, name: &str) -> Option<Interface<'a>> {
        self.interfaces().find(|interface| interface.name() == name)
    }

    /// The interface with this fingerprint: what a message says it is of.
    pub fn interface_with(self, fingerprint: u64) -> Option<Interface<'a>> {
        self.interfaces().find(|interface| interface.fingerprint() == fingerprint)
    }
}

impl fmt::Debug for Types<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.interfaces().map(Interface::name);
        formatter.debug_struct("Types").field("interfaces", &names.collect::<Vec<_>>()).finish()
    }
}

/// An interface, with its methods.
#[derive(Clone, Copy)]
pub struct Interface<'a> {
    schema: &'a Schema<'a>,
    id: DefinitionId,
    interface: &'a schema::Interface<'a>,
}

impl<'a> Interface<'a> {
    /// Its name, with the module before it if it has one.
    pub fn name(self) -> String {
        self.schema.qualified_name(self.id)
    }

    /// The number that each of its messages bears.
    pub fn fingerprint(self) -> u64 {
        fingerprint::fingerprint(self.id, self.schema)
    }

    /// The versions of it and of everything that it uses, except what its fingerprint covers: the hash of the name of the
    /// definition, the version, and the hash of the definition in that version, in ascending order.
    pub fn lineage(self) -> Vec<(u64, u32, u64)> {
        let stages = fingerprint::lineage(self.id, self.schema).into_iter();
        stages.map(|stage| (stage.definition, stage.version, stage.fingerprint)).collect()
    }

    /// Its methods, in order of declaration.
    pub fn methods(self) -> impl Iterator<Item = Method<'a>> {
        let Self { schema, interface, .. } = self;
        let is_extensible = interface.is_extensible;
        interface.methods.iter().map(move |method| Method { schema, method, is_extensible })
    }

    /// The method with this ordinal.
    pub fn method(self, ordinal: u32) -> Option<Method<'a>> {
        self.methods().find(|method| method.ordinal() == ordinal)
    }
}

impl fmt::Debug for Interface<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Interface").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// A method, with what is sent and what is answered.
#[derive(Clone, Copy)]
pub struct Method<'a> {
    schema: &'a Schema<'a>,
    method: &'a schema::Method<'a>,
    is_extensible: bool,
}

impl<'a> Method<'a> {
    /// Its name, as it is written.
    pub fn name(self) -> &'a str {
        self.method.name
    }

    /// The number that it has on the wire.
    pub fn ordinal(self) -> u32 {
        self.method.ordinal
    }

    /// What a call consists of.
    pub fn parameters(self) -> Shape<'a> {
        let Self { schema, is_extensible, .. } = self;
        Shape { schema, values: &self.method.parameters, error: None, is_extensible }
    }

    /// What an answer consists of; `None` for a one-way method.
    pub fn answer(self) -> Option<Shape<'a>> {
        let Self { schema, is_extensible, .. } = self;
        let values = self.method.response.as_deref()?;
        Some(Shape { schema, values, error: self.method.error.as_ref(), is_extensible })
    }
}

impl fmt::Debug for Method<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Method").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// What follows the header of a message: the values of a list, or an error in the place of them.
#[derive(Clone, Copy)]
pub struct Shape<'a> {
    schema: &'a Schema<'a>,
    values: &'a [schema::Field<'a>],
    error: Option<&'a ValueType>,
    /// Whether more may follow, from a newer sender.
    is_extensible: bool,
}

impl<'a> Shape<'a> {
    /// Reads a message. The result is a [`Value::Struct`] of the list, in a [`Value::Result`] where there may be an error.
    ///
    /// # Errors
    /// If a receiver would refuse the message, with the place in it. Nothing is reserved that has not arrived.
    pub fn decode(self, body: &Body) -> Result<Value<'a>, Fault> {
        decode::decode(self, body)
    }

    /// Writes a message.
    ///
    /// # Errors
    /// If the value is not one of this shape, breaks a bound, or is nested too deep.
    pub fn encode(self, value: &Value<'_>) -> Result<Body, Fault> {
        encode::encode(self, value)
    }

    /// Whether there may be an error in the place of the values.
    pub fn has_error(self) -> bool {
        self.error.is_some()
    }

    /// Any value of this shape that can be sent.
    ///
    /// # Errors
    /// If there is none: a part of it is an enum without values.
    pub fn random(self, random: &mut Random) -> Result<Value<'a>, Fault> {
        random::random(self, random)
    }
}

impl fmt::Debug for Shape<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.values.iter().map(|field| field.name).collect();
        formatter.debug_struct("Shape").field("values", &names).finish_non_exhaustive()
    }
}
