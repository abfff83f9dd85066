//! Bytes to values, with every check that a receiver makes.

use std::cmp::Ordering;

use super::fault::{Fault, FaultKind};
use super::value::{Body, Value};
use super::{Shape, defaults};
use crate::limits::{DYNAMIC_DEPTH_MAX, VALUE_DEPTH_MAX};
use crate::schema::{DefinitionId, Enum, Field, Kind, Schema, Struct, Union, ValueType};

pub(super) fn decode<'a>(shape: Shape<'a>, body: &Body) -> Result<Value<'a>, Fault> {
    let mut reader = Reader {
        schema: shape.schema,
        bytes: &body.bytes,
        end: body.bytes.len(),
        pipes: &body.pipes,
        handles: &body.handles,
        depth: 0,
        recursion: 0,
    };
    let value = match shape.error {
        None => reader.fields(shape.values)?,
        Some(error) => Value::Result(match reader.array::<1>()? {
            [0] => Ok(Box::new(reader.fields(shape.values)?)),
            [1] => Err(Box::new(reader.value(error).map_err(|fault| fault.within("error"))?)),
            _ => return Err(reader.fault(FaultKind::InvalidValue)),
        }),
    };
    let is_empty = reader.bytes.is_empty() && reader.pipes.is_empty() && reader.handles.is_empty();
    if is_empty || shape.is_extensible { Ok(value) } else { Err(reader.fault(FaultKind::TrailingData)) }
}

/// What is left of a message.
struct Reader<'a, 'body> {
    schema: &'a Schema<'a>,
    bytes: &'body [u8],
    /// How many bytes there were, up to the end of `bytes`.
    end: usize,
    pipes: &'body [u32],
    handles: &'body [u32],
    /// How many values that may contain themselves, and how many envelopes, surround what is being read.
    depth: u32,
    /// How many values of any sort surround it.
    recursion: u32,
}

impl<'a> Reader<'a, '_> {
    fn fault(&self, kind: FaultKind) -> Fault {
        Fault::at(kind, self.end - self.bytes.len())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) =
            self.bytes.split_first_chunk::<N>().ok_or_else(|| self.fault(FaultKind::Truncated))?;
        self.bytes = rest;
        Ok(*head)
    }

    fn slice(&mut self, length: usize) -> Result<&[u8], Fault> {
        let (head, rest) =
            self.bytes.split_at_checked(length).ok_or_else(|| self.fault(FaultKind::Truncated))?;
        self.bytes = rest;
        Ok(head)
    }

    /// The number of what follows, which cannot be more than has arrived of something of this size.
    fn length(&mut self, bound: Option<u32>, size_min: u32) -> Result<usize, Fault> {
        let place = self.fault(FaultKind::OutOfBounds);
        let length = u32::from_le_bytes(self.array()?);
        if bound.is_some_and(|bound| length > bound) {
            return Err(place);
        }
        let left = self.bytes.len() + self.pipes.len() + self.handles.len();
        let fits = length as usize <= left / (size_min as usize).max(1);
        if fits { Ok(length as usize) } else { Err(self.fault(FaultKind::Truncated)) }
    }

    fn value(&mut self, value_type: &'a ValueType) -> Result<Value<'a>, Fault> {
        if self.recursion == DYNAMIC_DEPTH_MAX {
            return Err(self.fault(FaultKind::TooDeep));
        }
        self.recursion += 1;
        let value = self.value_of(value_type);
        self.recursion -= 1;
        value
    }

    fn value_of(&mut self, value_type: &'a ValueType) -> Result<Value<'a>, Fault> {
        Ok(match value_type {
            ValueType::Mapped(wire, _) | ValueType::Shared(wire) => return self.value(wire),
            ValueType::Bool => Value::Bool(self.flag()?),
            ValueType::Integer(integer) => {
                let bytes = self.slice((integer.bits / 8) as usize)?;
                let mut wide = [0; 16];
                for (wide, byte) in wide.iter_mut().zip(bytes) {
                    *wide = *byte;
                }
                let number = i128::from_le_bytes(wide);
                let (_, max) = integer.range();
                Value::Integer(if number > max { number - (1 << integer.bits) } else { number })
            }
            ValueType::Float => Value::Float(f32::from_le_bytes(self.array()?)),
            ValueType::Double => Value::Double(f64::from_le_bytes(self.array()?)),
            ValueType::Text(bound) => {
                let length = self.length(*bound, 1)?;
                let invalid = self.fault(FaultKind::InvalidText);
                let text = str::from_utf8(self.slice(length)?).map_err(|_| invalid)?;
                Value::Text(text.to_owned())
            }
            ValueType::Bytes(bound) => {
                let length = self.length(*bound, 1)?;
                Value::Bytes(self.slice(length)?.to_vec())
            }
            ValueType::MessagePipe
            | ValueType::PendingRemote(_)
            | ValueType::PendingReceiver(_)
            | ValueType::Stream(..) => {
                let (first, rest) =
                    self.pipes.split_first().ok_or_else(|| self.fault(FaultKind::MissingAttachment))?;
                self.pipes = rest;
                Value::Pipe(*first)
            }
            ValueType::Handle => {
                let (first, rest) =
                    self.handles.split_first().ok_or_else(|| self.fault(FaultKind::MissingAttachment))?;
                self.handles = rest;
                Value::Handle(*first)
            }
            ValueType::Array(element, bound) => {
                let count = self.length(*bound, self.schema.size_min(element))?;
                Value::Array(self.elements(element, count)?)
            }
            ValueType::FixedArray(element, count) => Value::Array(self.elements(element, *count as usize)?),
            ValueType::Map(key, value, bound) => self.map(key, value, *bound)?,
            ValueType::Optional { inner, .. } => {
                Value::Optional(if self.flag()? { Some(Box::new(self.value(inner)?)) } else { None })
            }
            ValueType::Named(id) => return self.named(*id),
        })
    }

    fn flag(&mut self) -> Result<bool, Fault> {
        let place = self.fault(FaultKind::InvalidValue);
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(place),
        }
    }

    fn elements(&mut self, element: &'a ValueType, count: usize) -> Result<Vec<Value<'a>>, Fault> {
        let mut elements = Vec::new();
        for index in 0..count {
            elements.push(self.value(element).map_err(|fault| fault.within_element(index))?);
        }
        Ok(elements)
    }

    fn map(
        &mut self,
        key: &'a ValueType,
        value: &'a ValueType,
        bound: Option<u32>,
    ) -> Result<Value<'a>, Fault> {
        let size_min = self.schema.size_min(key).saturating_add(self.schema.size_min(value));
        let count = self.length(bound, size_min)?;
        let mut entries: Vec<(Value<'_>, Value<'_>)> = Vec::new();
        for index in 0..count {
            let place = self.fault(FaultKind::InvalidValue).within_element(index);
            let key = self.value(key).map_err(|fault| fault.within_element(index))?;
            let is_behind = |(last, _): &(Value<'_>, _)| compare_keys(last, &key) == Ordering::Less;
            if !entries.last().is_none_or(is_behind) {
                return Err(place);
            }
            let value = self.value(value).map_err(|fault| fault.within_element(index))?;
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }

    fn named(&mut self, id: DefinitionId) -> Result<Value<'a>, Fault> {
        match &self.schema.definition(id).kind {
            Kind::Struct(structure) => self.structure(structure),
            Kind::Union(union) => self.union(union),
            Kind::Enum(enumeration) => self.enumeration(enumeration),
            Kind::Interface(_) | Kind::Const(_) => Err(self.fault(FaultKind::NoValue)),
        }
    }

    fn structure(&mut self, structure: &'a Struct<'a>) -> Result<Value<'a>, Fault> {
        if structure.is_extensible {
            return self.envelope(|reader| reader.fields(&structure.fields));
        }
        if structure.fields.is_empty() {
            let place = self.fault(FaultKind::InvalidValue);
            return if self.array()? == [0] { Ok(Value::Struct(Vec::new())) } else { Err(place) };
        }
        self.nested(structure.traits.is_recursive, |reader| reader.fields(&structure.fields))
    }

    /// The values of a list; those that an older sender does not know are their defaults.
    fn fields(&mut self, fields: &'a [Field<'a>]) -> Result<Value<'a>, Fault> {
        let mut values = Vec::with_capacity(fields.len());
        for field in fields {
            let value = if field.min_version > 0 && self.bytes.is_empty() {
                defaults::of_field(field, self.schema)
            } else {
                self.value(&field.value_type)
            };
            values.push((field.name, value.map_err(|fault| fault.within(field.name))?));
        }
        Ok(Value::Struct(values))
    }

    fn union(&mut self, union: &'a Union<'a>) -> Result<Value<'a>, Fault> {
        let place = self.fault(FaultKind::InvalidValue);
        let number = u32::from_le_bytes(self.array()?);
        let Some(member) = union.members.iter().find(|member| member.ordinal == number) else {
            if !union.is_extensible {
                return Err(place);
            }
            return self.envelope(|_| Ok(Value::Union { number, member: None }));
        };
        let read = |reader: &mut Self| {
            let value = reader.value(&member.value_type).map_err(|fault| fault.within(member.name))?;
            Ok(Value::Union { number, member: Some((member.name, Box::new(value))) })
        };
        if union.is_extensible {
            return self.envelope(read);
        }
        self.nested(union.traits.is_recursive, read)
    }

    fn enumeration(&mut self, enumeration: &'a Enum<'a>) -> Result<Value<'a>, Fault> {
        let place = self.fault(FaultKind::InvalidValue);
        let number = i32::from_le_bytes(self.array()?);
        let known = enumeration.values.iter().find(|value| value.number == number);
        if known.is_none() && !enumeration.is_extensible {
            return Err(place);
        }
        Ok(Value::Enum { number, name: known.map(|value| value.name) })
    }

    fn nested<T>(
        &mut self,
        is_counted: bool,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if !is_counted {
            return read(self);
        }
        if self.depth == VALUE_DEPTH_MAX {
            return Err(self.fault(FaultKind::TooDeep));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// What can be skipped without knowing it: what `read` leaves of it is.
    fn envelope<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let [pipes, handles] = self.array()?.map(usize::from);
        let missing = || self.fault(FaultKind::MissingAttachment);
        let (bytes, bytes_behind) =
            self.bytes.split_at_checked(length).ok_or_else(|| self.fault(FaultKind::Truncated))?;
        let (pipes, pipes_behind) = self.pipes.split_at_checked(pipes).ok_or_else(missing)?;
        let (handles, handles_behind) = self.handles.split_at_checked(handles).ok_or_else(missing)?;
        let mut inside = Reader {
            schema: self.schema,
            bytes,
            end: self.end - bytes_behind.len(),
            pipes,
            handles,
            depth: self.depth,
            recursion: self.recursion,
        };
        let value = inside.nested(true, read)?;
        (self.bytes, self.pipes, self.handles) = (bytes_behind, pipes_behind, handles_behind);
        Ok(value)
    }
}

/// The order in which the keys of a map travel.
pub(super) fn compare_keys(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Enum { number: left, .. }, Value::Enum { number: right, .. }) => left.cmp(right),
        _ => Ordering::Equal,
    }
}
