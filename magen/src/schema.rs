//! `.magen` files that have been checked: every type is known, every name can be generated.

mod value_type;

use std::collections::BTreeSet;

use crate::ast::Docs;
use crate::span::Span;

pub(crate) use value_type::{GENERIC, Integer, ValueType};

/// Every declaration of a file, and of the files it imports.
#[derive(Debug, Default)]
pub(crate) struct Schema<'source> {
    pub(crate) files: Vec<SourceFile<'source>>,
    pub(crate) definitions: Vec<Definition<'source>>,
}

/// One file. The one that is compiled is the last one; what it imports comes before it.
#[derive(Debug)]
pub(crate) struct SourceFile<'source> {
    /// What diagnostics call it.
    pub(crate) name: &'source str,
    pub(crate) text: &'source str,
    pub(crate) module: Option<&'source str>,
    /// The Rust module that its code is in, for files that import it.
    pub(crate) rust_module: String,
}

/// Which declaration: its place in [`Schema::definitions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DefinitionId(pub(crate) usize);

#[derive(Debug)]
pub(crate) struct Definition<'source> {
    /// The place of its file in [`Schema::files`].
    pub(crate) file: usize,
    pub(crate) docs: Docs<'source>,
    pub(crate) name: &'source str,
    /// Where the name is written.
    pub(crate) span: Span,
    pub(crate) kind: Kind<'source>,
}

#[derive(Debug)]
pub(crate) enum Kind<'source> {
    Interface(Interface<'source>),
    Struct(Struct<'source>),
    Union(Union<'source>),
    Enum(Enum<'source>),
    Const(Const<'source>),
}

#[derive(Debug, Default)]
pub(crate) struct Interface<'source> {
    pub(crate) methods: Vec<Method<'source>>,
    pub(crate) is_extensible: bool,
}

#[derive(Debug)]
pub(crate) struct Method<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: &'source str,
    /// Where the name is written.
    pub(crate) span: Span,
    /// The number it has on the wire.
    pub(crate) ordinal: u32,
    pub(crate) parameters: Vec<Field<'source>>,
    pub(crate) response: Option<Vec<Field<'source>>>,
    /// What the handler may answer instead.
    pub(crate) error: Option<ValueType>,
    /// Since which version it is there: an older peer does not know it.
    pub(crate) min_version: u32,
}

impl<'source> Method<'source> {
    /// Its parameters, and behind them the values of its response.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field<'source>> {
        self.parameters.iter().chain(self.response.iter().flatten())
    }
}

/// A parameter, a value of a response, a field of a struct or a member of a union.
#[derive(Debug)]
pub(crate) struct Field<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: &'source str,
    /// Where the type and the name are written.
    pub(crate) span: Span,
    pub(crate) value_type: ValueType,
    pub(crate) default: Option<Value<'source>>,
    /// The number it has on the wire, if it is a member of a union.
    pub(crate) ordinal: u32,
    /// Since which version it is there: an older peer does not know it.
    pub(crate) min_version: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Struct<'source> {
    pub(crate) fields: Vec<Field<'source>>,
    pub(crate) is_extensible: bool,
    pub(crate) traits: Traits,
}

#[derive(Debug, Default)]
pub(crate) struct Union<'source> {
    pub(crate) members: Vec<Field<'source>>,
    pub(crate) is_extensible: bool,
    pub(crate) traits: Traits,
}

#[derive(Debug, Default)]
pub(crate) struct Enum<'source> {
    pub(crate) values: Vec<EnumValue<'source>>,
    pub(crate) is_extensible: bool,
}

#[derive(Debug)]
pub(crate) struct EnumValue<'source> {
    pub(crate) docs: Docs<'source>,
    pub(crate) name: &'source str,
    /// Where the name is written.
    pub(crate) span: Span,
    pub(crate) number: i32,
    /// Since which version it is there: an older peer does not know it.
    pub(crate) min_version: u32,
}

#[derive(Debug)]
pub(crate) struct Const<'source> {
    pub(crate) value_type: ValueType,
    /// `None` only if it was faulty.
    pub(crate) value: Option<Value<'source>>,
}

/// What is known of a struct or a union as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    /// No pipe, handle or end of an interface is anywhere in it: it can be copied, and sent by reference.
    pub(crate) is_plain: bool,
    /// No floating point number is anywhere in it.
    pub(crate) is_eq: bool,
    /// Every field has a default.
    pub(crate) has_default: bool,
    /// A value of it may contain others of it.
    pub(crate) is_recursive: bool,
    /// Something in it is a slice of the message.
    pub(crate) is_shared: bool,
    /// The least it takes on the wire, in bytes and attachments.
    pub(crate) size_min: u32,
}

impl Default for Traits {
    fn default() -> Self {
        Self {
            is_plain: true,
            is_eq: true,
            has_default: true,
            is_recursive: false,
            is_shared: false,
            size_min: 1,
        }
    }
}

/// A constant or a default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'source> {
    Bool(bool),
    Integer(i128),
    /// As it is written.
    Real(&'source str),
    Text(&'source str),
    /// The place of a value in an enum.
    Variant(DefinitionId, usize),
}

impl<'source> Schema<'source> {
    pub(crate) fn definition(&self, id: DefinitionId) -> &Definition<'source> {
        &self.definitions[id.0]
    }

    /// What is declared in the file that is compiled, in order.
    pub(crate) fn own_definitions(&self) -> impl Iterator<Item = (DefinitionId, &Definition<'source>)> {
        let last = self.files.len().saturating_sub(1);
        self.ids().filter(move |(_, definition)| definition.file == last)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = (DefinitionId, &Definition<'source>)> {
        self.definitions.iter().enumerate().map(|(index, definition)| (DefinitionId(index), definition))
    }

    /// What is known of a named type: everything about an enum.
    pub(crate) fn traits(&self, id: DefinitionId) -> Traits {
        match &self.definition(id).kind {
            Kind::Struct(structure) => structure.traits,
            Kind::Union(union) => union.traits,
            _ => Traits { has_default: false, size_min: 4, ..Traits::default() },
        }
    }

    /// The name with the module before it, if there is one.
    pub(crate) fn qualified_name(&self, id: DefinitionId) -> String {
        let definition = self.definition(id);
        match self.files[definition.file].module {
            Some(module) => format!("{module}.{}", definition.name),
            None => definition.name.to_owned(),
        }
    }
}

impl Schema<'_> {
    /// Whether there may be additions to it.
    pub(crate) fn is_extensible(&self, id: DefinitionId) -> bool {
        match &self.definition(id).kind {
            Kind::Interface(interface) => interface.is_extensible,
            Kind::Struct(structure) => structure.is_extensible,
            Kind::Union(union) => union.is_extensible,
            Kind::Enum(enumeration) => enumeration.is_extensible,
            Kind::Const(_) => false,
        }
    }

    /// The versions of a definition, from 0 to the newest, without those in which nothing was added.
    pub(crate) fn versions(&self, id: DefinitionId) -> BTreeSet<u32> {
        let mut versions = BTreeSet::from([0]);
        match &self.definition(id).kind {
            Kind::Interface(interface) => {
                for method in &interface.methods {
                    versions.insert(method.min_version);
                    versions.extend(method.fields().map(|field| field.min_version));
                }
            }
            Kind::Struct(structure) => {
                versions.extend(structure.fields.iter().map(|field| field.min_version))
            }
            Kind::Union(union) => versions.extend(union.members.iter().map(|member| member.min_version)),
            Kind::Enum(enumeration) => {
                versions.extend(enumeration.values.iter().map(|value| value.min_version));
            }
            Kind::Const(_) => {}
        }
        versions
    }

    /// Whether no pipe, handle or end of an interface is in it.
    pub(crate) fn is_plain(&self, value_type: &ValueType) -> bool {
        value_type.all_parts().into_iter().all(|part| match part {
            ValueType::MessagePipe
            | ValueType::Handle
            | ValueType::PendingRemote(_)
            | ValueType::PendingReceiver(_)
            | ValueType::Stream(..) => false,
            ValueType::Named(id) => self.traits(*id).is_plain,
            _ => true,
        })
    }

    /// Whether no floating point number is in it.
    pub(crate) fn is_eq(&self, value_type: &ValueType) -> bool {
        value_type.all_parts().into_iter().all(|part| match part {
            ValueType::Float | ValueType::Double | ValueType::Mapped(..) => false,
            ValueType::Named(id) => self.traits(*id).is_eq,
            _ => true,
        })
    }

    /// Whether something in it is a slice of the message.
    pub(crate) fn is_shared(&self, value_type: &ValueType) -> bool {
        value_type.all_parts().into_iter().any(|part| match part {
            ValueType::Shared(_) => true,
            ValueType::Named(id) => self.traits(*id).is_shared,
            _ => false,
        })
    }

    /// Whether something in these fields is.
    pub(crate) fn shares(&self, fields: &[Field<'_>]) -> bool {
        fields.iter().any(|field| self.is_shared(&field.value_type))
    }

    /// Whether there is a value that stands for nothing in particular: zero, empty, absent.
    pub(crate) fn has_default(&self, value_type: &ValueType) -> bool {
        match value_type {
            ValueType::MessagePipe
            | ValueType::Handle
            | ValueType::PendingRemote(_)
            | ValueType::PendingReceiver(_)
            | ValueType::Stream(..)
            | ValueType::Mapped(..) => false,
            ValueType::Named(id) => self.traits(*id).has_default,
            ValueType::FixedArray(element, _) => self.has_default(element),
            _ => true,
        }
    }

    /// The least that a value takes on the wire, in bytes and attachments.
    pub(crate) fn size_min(&self, value_type: &ValueType) -> u32 {
        match value_type {
            ValueType::Integer(integer) => integer.bits / 8,
            ValueType::Float => 4,
            ValueType::Double => 8,
            ValueType::Text(_) | ValueType::Bytes(_) | ValueType::Array(..) | ValueType::Map(..) => 4,
            ValueType::Named(id) => self.traits(*id).size_min,
            ValueType::Mapped(wire, _) | ValueType::Shared(wire) => self.size_min(wire),
            ValueType::FixedArray(element, count) => self.size_min(element).saturating_mul(*count),
            ValueType::Bool
            | ValueType::MessagePipe
            | ValueType::Handle
            | ValueType::PendingRemote(_)
            | ValueType::PendingReceiver(_)
            | ValueType::Stream(..)
            | ValueType::Optional { .. } => 1,
        }
    }
}
