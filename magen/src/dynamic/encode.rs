//! Values to bytes, with every check that a sender makes.

use std::cmp::Ordering;

use super::Shape;
use super::decode::compare_keys;
use super::fault::{Fault, FaultKind};
use super::value::{Body, Value};
use crate::limits::{DYNAMIC_DEPTH_MAX, VALUE_DEPTH_MAX};
use crate::schema::{DefinitionId, Enum, Field, Integer, Kind, Schema, Struct, Union, ValueType};

pub(super) fn encode(shape: Shape<'_>, value: &Value<'_>) -> Result<Body, Fault> {
    let mut writer = Writer { schema: shape.schema, body: Body::default(), depth: 0, recursion: 0 };
    match (shape.error, value) {
        (None, value) => writer.fields(shape.values, value)?,
        (Some(_), Value::Result(Ok(value))) => {
            writer.body.bytes.push(0);
            writer.fields(shape.values, value)?;
        }
        (Some(error), Value::Result(Err(value))) => {
            writer.body.bytes.push(1);
            writer.value(error, value).map_err(|fault| fault.within("error"))?;
        }
        (Some(_), _) => return Err(Fault::new(FaultKind::InvalidValue)),
    }
    Ok(writer.body)
}

struct Writer<'a> {
    schema: &'a Schema<'a>,
    body: Body,
    depth: u32,
    recursion: u32,
}

fn fault<T>(kind: FaultKind) -> Result<T, Fault> {
    Err(Fault::new(kind))
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.body.bytes.extend_from_slice(bytes);
    }

    fn length(&mut self, length: usize, bound: Option<u32>) -> Result<(), Fault> {
        match u32::try_from(length) {
            Ok(length) if bound.is_none_or(|bound| length <= bound) => {
                self.bytes(&length.to_le_bytes());
                Ok(())
            }
            _ => fault(FaultKind::OutOfBounds),
        }
    }

    fn value(&mut self, value_type: &ValueType, value: &Value<'_>) -> Result<(), Fault> {
        if self.recursion == DYNAMIC_DEPTH_MAX {
            return fault(FaultKind::TooDeep);
        }
        self.recursion += 1;
        let written = self.value_of(value_type, value);
        self.recursion -= 1;
        written
    }

    fn value_of(&mut self, value_type: &ValueType, value: &Value<'_>) -> Result<(), Fault> {
        match (value_type, value) {
            (ValueType::Mapped(wire, _) | ValueType::Shared(wire), value) => self.value(wire, value)?,
            (ValueType::Bool, Value::Bool(value)) => self.bytes(&[u8::from(*value)]),
            (ValueType::Integer(integer), Value::Integer(number)) => self.integer(*integer, *number)?,
            (ValueType::Float, Value::Float(value)) => self.bytes(&value.to_le_bytes()),
            (ValueType::Double, Value::Double(value)) => self.bytes(&value.to_le_bytes()),
            (ValueType::Text(bound), Value::Text(text)) => {
                self.length(text.len(), *bound)?;
                self.bytes(text.as_bytes());
            }
            (ValueType::Bytes(bound), Value::Bytes(bytes)) => {
                self.length(bytes.len(), *bound)?;
                self.bytes(bytes);
            }
            (
                ValueType::MessagePipe
                | ValueType::PendingRemote(_)
                | ValueType::PendingReceiver(_)
                | ValueType::Stream(..),
                Value::Pipe(place),
            ) => self.body.pipes.push(*place),
            (ValueType::Handle, Value::Handle(place)) => self.body.handles.push(*place),
            (ValueType::Array(element, bound), Value::Array(elements)) => {
                self.length(elements.len(), *bound)?;
                self.elements(element, elements)?;
            }
            (ValueType::FixedArray(element, count), Value::Array(elements))
                if elements.len() == *count as usize =>
            {
                self.elements(element, elements)?;
            }
            (ValueType::Map(key, value, bound), Value::Map(entries)) => {
                self.length(entries.len(), *bound)?;
                self.entries(key, value, entries)?;
            }
            (ValueType::Optional { inner, .. }, Value::Optional(value)) => {
                self.bytes(&[u8::from(value.is_some())]);
                if let Some(value) = value {
                    self.value(inner, value)?;
                }
            }
            (ValueType::Named(id), value) => self.named(*id, value)?,
            _ => return fault(FaultKind::InvalidValue),
        }
        Ok(())
    }

    fn integer(&mut self, integer: Integer, number: i128) -> Result<(), Fault> {
        if !integer.contains(number) {
            return fault(FaultKind::InvalidValue);
        }
        let bytes = number.to_le_bytes();
        self.bytes(bytes.get(..(integer.bits / 8) as usize).unwrap_or_default());
        Ok(())
    }

    fn elements(&mut self, element: &ValueType, elements: &[Value<'_>]) -> Result<(), Fault> {
        for (index, value) in elements.iter().enumerate() {
            self.value(element, value).map_err(|fault| fault.within_element(index))?;
        }
        Ok(())
    }

    fn entries(
        &mut self,
        key_type: &ValueType,
        value_type: &ValueType,
        entries: &[(Value<'_>, Value<'_>)],
    ) -> Result<(), Fault> {
        let mut last = None;
        for (index, (key, value)) in entries.iter().enumerate() {
            if last.is_some_and(|last| compare_keys(last, key) != Ordering::Less) {
                return Err(Fault::new(FaultKind::InvalidValue).within_element(index));
            }
            last = Some(key);
            self.value(key_type, key).map_err(|fault| fault.within_element(index))?;
            self.value(value_type, value).map_err(|fault| fault.within_element(index))?;
        }
        Ok(())
    }

    fn named(&mut self, id: DefinitionId, value: &Value<'_>) -> Result<(), Fault> {
        let schema = self.schema;
        match &schema.definition(id).kind {
            Kind::Struct(structure) => self.structure(structure, value),
            Kind::Union(union) => self.union(union, value),
            Kind::Enum(enumeration) => self.enumeration(enumeration, value),
            Kind::Interface(_) | Kind::Const(_) => fault(FaultKind::NoValue),
        }
    }

    fn structure(&mut self, structure: &Struct<'_>, value: &Value<'_>) -> Result<(), Fault> {
        if structure.is_extensible {
            return self.envelope(|writer| writer.fields(&structure.fields, value));
        }
        if structure.fields.is_empty() {
            self.bytes(&[0]);
        }
        self.nested(structure.traits.is_recursive, |writer| writer.fields(&structure.fields, value))
    }

    fn fields(&mut self, fields: &[Field<'_>], value: &Value<'_>) -> Result<(), Fault> {
        let Value::Struct(values) = value else { return fault(FaultKind::InvalidValue) };
        if values.len() != fields.len() {
            return fault(FaultKind::InvalidValue);
        }
        for (field, (_, value)) in fields.iter().zip(values) {
            self.value(&field.value_type, value).map_err(|fault| fault.within(field.name))?;
        }
        Ok(())
    }

    fn union(&mut self, union: &Union<'_>, value: &Value<'_>) -> Result<(), Fault> {
        let Value::Union { number, member } = value else { return fault(FaultKind::InvalidValue) };
        let known = union.members.iter().find(|known| known.ordinal == *number);
        self.bytes(&number.to_le_bytes());
        match (known, member) {
            (Some(known), Some((_, value))) => {
                let write = |writer: &mut Self| {
                    writer.value(&known.value_type, value).map_err(|fault| fault.within(known.name))
                };
                match union.is_extensible {
                    true => self.envelope(write),
                    false => self.nested(union.traits.is_recursive, write),
                }
            }
            _ => fault(FaultKind::InvalidValue),
        }
    }

    fn enumeration(&mut self, enumeration: &Enum<'_>, value: &Value<'_>) -> Result<(), Fault> {
        let Value::Enum { number, .. } = value else { return fault(FaultKind::InvalidValue) };
        let is_known = enumeration.values.iter().any(|value| value.number == *number);
        if !is_known && !enumeration.is_extensible {
            return fault(FaultKind::InvalidValue);
        }
        self.bytes(&number.to_le_bytes());
        Ok(())
    }

    fn nested(
        &mut self,
        is_counted: bool,
        write: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if !is_counted {
            return write(self);
        }
        if self.depth == VALUE_DEPTH_MAX {
            return fault(FaultKind::TooDeep);
        }
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        written
    }

    fn envelope(&mut self, write: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        let outside = std::mem::take(&mut self.body);
        let written = self.nested(true, write);
        let inside = std::mem::replace(&mut self.body, outside);
        written?;
        self.length(inside.bytes.len(), None)?;
        for count in [inside.pipes.len(), inside.handles.len()] {
            let count = u8::try_from(count).or_else(|_| fault(FaultKind::OutOfBounds))?;
            self.bytes(&[count]);
        }
        self.bytes(&inside.bytes);
        self.body.pipes.extend(inside.pipes);
        self.body.handles.extend(inside.handles);
        Ok(())
    }
}
