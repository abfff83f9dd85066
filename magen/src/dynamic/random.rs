//! Any value of a type, the same for the same seed.

use super::Shape;
use super::decode::compare_keys;
use super::fault::{Fault, FaultKind};
use super::value::Value;
use crate::schema::{DefinitionId, Field, Kind, Schema, ValueType};

/// Random numbers that depend on nothing but their seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, of all that there are.
    pub fn next_u64(&mut self) -> u64 {
        // SplitMix64: every seed is a good one.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        match end {
            0 => 0,
            end => (self.next_u64() % end as u64) as usize,
        }
    }

    /// Whether one in so many times came up.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Elements of an array or a map, and letters of a text, where nothing else bounds them.
const LENGTH_MAX: usize = 5;
/// Values within values, from where on nothing is added that could be left out.
const DEPTH_MAX: usize = 6;
/// Pipes, and handles, in one message: fewer than may travel.
const ATTACHMENTS_MAX: u32 = 40;

pub(super) fn random<'a>(shape: Shape<'a>, random: &mut Random) -> Result<Value<'a>, Fault> {
    let mut generator = Generator { schema: shape.schema, random, pipes: 0, handles: 0, depth: 0 };
    match shape.error {
        None => generator.fields(shape.values),
        Some(error) if generator.random.one_in(3) => {
            Ok(Value::Result(Err(Box::new(generator.value(error)?))))
        }
        Some(_) => Ok(Value::Result(Ok(Box::new(generator.fields(shape.values)?)))),
    }
}

struct Generator<'a, 'random> {
    schema: &'a Schema<'a>,
    random: &'random mut Random,
    pipes: u32,
    handles: u32,
    depth: usize,
}

impl<'a> Generator<'a, '_> {
    fn value(&mut self, value_type: &'a ValueType) -> Result<Value<'a>, Fault> {
        self.depth += 1;
        let value = self.value_of(value_type);
        self.depth -= 1;
        value
    }

    fn value_of(&mut self, value_type: &'a ValueType) -> Result<Value<'a>, Fault> {
        Ok(match value_type {
            ValueType::Mapped(wire, _) | ValueType::Shared(wire) => return self.value(wire),
            ValueType::Bool => Value::Bool(self.random.one_in(2)),
            ValueType::Integer(integer) => {
                let (min, max) = integer.range();
                let number = match self.random.below(4) {
                    0 => min,
                    1 => max,
                    2 => i128::from(self.random.next_u64() % 100),
                    _ => min + i128::from(self.random.next_u64()) % (max - min + 1),
                };
                Value::Integer(number)
            }
            ValueType::Float => Value::Float(self.random.below(4096) as f32 / 16.0 - 100.0),
            ValueType::Double => Value::Double(self.random.below(1 << 30) as f64 / 1024.0 - 5000.0),
            ValueType::Text(bound) => Value::Text(self.text(*bound)),
            ValueType::Bytes(bound) => {
                let length = self.length(*bound);
                Value::Bytes((0..length).map(|_| self.random.next_u64() as u8).collect())
            }
            ValueType::MessagePipe
            | ValueType::PendingRemote(_)
            | ValueType::PendingReceiver(_)
            | ValueType::Stream(..) => {
                self.pipes += 1;
                Value::Pipe(self.pipes - 1)
            }
            ValueType::Handle => {
                self.handles += 1;
                Value::Handle(self.handles - 1)
            }
            ValueType::Array(element, bound) => {
                let length = if self.is_enough() { 0 } else { self.length(*bound) };
                Value::Array(self.elements(element, length)?)
            }
            ValueType::FixedArray(element, count) => Value::Array(self.elements(element, *count as usize)?),
            ValueType::Map(key, value, bound) => self.map(key, value, *bound)?,
            ValueType::Optional { inner, .. } => {
                let is_there = !self.is_enough() && self.random.one_in(2);
                Value::Optional(if is_there { Some(Box::new(self.value(inner)?)) } else { None })
            }
            ValueType::Named(id) => self.named(*id)?,
        })
    }

    fn is_enough(&self) -> bool {
        self.depth > DEPTH_MAX || self.pipes > ATTACHMENTS_MAX || self.handles > ATTACHMENTS_MAX
    }

    fn length(&mut self, bound: Option<u32>) -> usize {
        let most = bound.map_or(LENGTH_MAX, |bound| (bound as usize).min(LENGTH_MAX));
        self.random.below(most + 1)
    }

    fn text(&mut self, bound: Option<u32>) -> String {
        const LETTERS: [char; 8] = ['a', 'Z', '"', '\n', 'é', '日', '🧙', '\0'];
        let mut text = String::new();
        for _ in 0..self.length(None) {
            let letter = LETTERS.get(self.random.below(LETTERS.len())).copied().unwrap_or('a');
            let fits = bound.is_none_or(|bound| text.len() + letter.len_utf8() <= bound as usize);
            text.extend(fits.then_some(letter));
        }
        text
    }

    fn elements(&mut self, element: &'a ValueType, count: usize) -> Result<Vec<Value<'a>>, Fault> {
        (0..count).map(|_| self.value(element)).collect()
    }

    fn map(
        &mut self,
        key: &'a ValueType,
        value: &'a ValueType,
        bound: Option<u32>,
    ) -> Result<Value<'a>, Fault> {
        let length = if self.is_enough() { 0 } else { self.length(bound) };
        let mut keys = self.elements(key, length)?;
        keys.sort_by(compare_keys);
        keys.dedup();
        let entries = keys.into_iter().map(|key| Ok((key, self.value(value)?)));
        Ok(Value::Map(entries.collect::<Result<_, Fault>>()?))
    }

    fn named(&mut self, id: DefinitionId) -> Result<Value<'a>, Fault> {
        let schema = self.schema;
        match &schema.definition(id).kind {
            Kind::Struct(structure) => self.fields(&structure.fields),
            Kind::Union(union) => {
                let place = self.random.below(union.members.len());
                let Some(member) = union.members.get(place) else { return no_value() };
                let value = Box::new(self.value(&member.value_type)?);
                Ok(Value::Union { number: member.ordinal, member: Some((member.name, value)) })
            }
            Kind::Enum(enumeration) => {
                let place = self.random.below(enumeration.values.len());
                match enumeration.values.get(place) {
                    Some(value) => Ok(Value::Enum { number: value.number, name: Some(value.name) }),
                    None if enumeration.is_extensible => Ok(Value::Enum { number: 0, name: None }),
                    None => no_value(),
                }
            }
            Kind::Interface(_) | Kind::Const(_) => no_value(),
        }
    }

    fn fields(&mut self, fields: &'a [Field<'a>]) -> Result<Value<'a>, Fault> {
        let values = fields.iter().map(|field| Ok((field.name, self.value(&field.value_type)?)));
        Ok(Value::Struct(values.collect::<Result<_, Fault>>()?))
    }
}

fn no_value<T>() -> Result<T, Fault> {
    Err(Fault::new(FaultKind::NoValue))
}
