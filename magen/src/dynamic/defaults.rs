//! What a value is when an older peer does not send it.

use super::fault::{Fault, FaultKind};
use super::value::Value;
use crate::schema::{self, Field, Kind, Schema, ValueType};

/// What is written as the default of a field, or else what stands for nothing in particular.
pub(super) fn of_field<'a>(field: &'a Field<'a>, schema: &'a Schema<'a>) -> Result<Value<'a>, Fault> {
    match field.default {
        Some(value) => Ok(written(value, &field.value_type, schema)),
        None => of_type(&field.value_type, schema),
    }
}

fn of_type<'a>(value_type: &'a ValueType, schema: &'a Schema<'a>) -> Result<Value<'a>, Fault> {
    Ok(match value_type {
        ValueType::Bool => Value::Bool(false),
        ValueType::Integer(_) => Value::Integer(0),
        ValueType::Float => Value::Float(0.0),
        ValueType::Double => Value::Double(0.0),
        ValueType::Text(_) => Value::Text(String::new()),
        ValueType::Bytes(_) => Value::Bytes(Vec::new()),
        ValueType::Array(..) => Value::Array(Vec::new()),
        ValueType::Map(..) => Value::Map(Vec::new()),
        ValueType::Optional { .. } => Value::Optional(None),
        ValueType::Mapped(wire, _) | ValueType::Shared(wire) => of_type(wire, schema)?,
        ValueType::FixedArray(element, count) => {
            Value::Array(vec![of_type(element, schema)?; *count as usize])
        }
        ValueType::Named(id) => match &schema.definition(*id).kind {
            Kind::Struct(structure) => {
                let fields = structure.fields.iter();
                let fields = fields.map(|field| Ok((field.name, of_field(field, schema)?)));
                Value::Struct(fields.collect::<Result<_, Fault>>()?)
            }
            _ => return Err(Fault::new(FaultKind::NoValue)),
        },
        ValueType::MessagePipe
        | ValueType::Handle
        | ValueType::PendingRemote(_)
        | ValueType::PendingReceiver(_)
        | ValueType::Stream(..) => return Err(Fault::new(FaultKind::NoValue)),
    })
}

/// A default, as a value of its type.
fn written<'a>(value: schema::Value<'a>, value_type: &ValueType, schema: &'a Schema<'a>) -> Value<'a> {
    if let ValueType::Optional { inner, .. } = value_type {
        return Value::Optional(Some(Box::new(written(value, inner, schema))));
    }
    let real = |text: &str| text.parse::<f64>().unwrap_or_default();
    match (value, value_type) {
        (schema::Value::Bool(value), _) => Value::Bool(value),
        #[expect(clippy::cast_precision_loss, reason = "as in the generated code")]
        (schema::Value::Integer(number), ValueType::Float) => Value::Float(number as f32),
        #[expect(clippy::cast_precision_loss, reason = "as in the generated code")]
        (schema::Value::Integer(number), ValueType::Double) => Value::Double(number as f64),
        (schema::Value::Integer(number), _) => Value::Integer(number),
        (schema::Value::Real(text), ValueType::Float) => Value::Float(text.parse().unwrap_or_default()),
        (schema::Value::Real(text), _) => Value::Double(real(text)),
        (schema::Value::Text(text), _) => Value::Text(text.to_owned()),
        (schema::Value::Variant(id, position), _) => {
            let known = match &schema.definition(id).kind {
                Kind::Enum(enumeration) => enumeration.values.get(position),
                _ => None,
            };
            Value::Enum { number: known.map_or(0, |value| value.number), name: known.map(|value| value.name) }
        }
    }
}
