//! An interface as text, with all names: what two processes compare when they do not understand each other.
//!
//! A line for each thing that can differ, and the version since which it is there:
//!
//! ```text
//! extensible interface media.Player
//! method 0 0 Open
//! in 0 url string
//! out 1 found bool
//! error media.PlayerError
//! struct media.Size
//! field 0 width int
//! union media.Event
//! member 0 0 position long
//! enum media.PlayerError
//! value 0 2 NOT_FOUND
//! ```
//!
//! `method`, `member` and `value` have the version and their number, the others the version alone; then the name, and
//! the type. A method with an answer has `answers` behind its parameters.

use crate::fingerprint::{reach, type_text};
use crate::schema::{Definition, DefinitionId, Field, Kind, Method, Schema};

/// The text of the interface `id` and of everything that it uses.
pub(crate) fn describe(id: DefinitionId, schema: &Schema<'_>) -> String {
    let mut description = Description { schema, text: String::new() };
    for id in reach(id, schema) {
        description.definition(id, schema.definition(id));
    }
    description.text
}

struct Description<'a> {
    schema: &'a Schema<'a>,
    text: String,
}

impl Description<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn definition(&mut self, id: DefinitionId, definition: &Definition<'_>) {
        let extensible = if self.schema.is_extensible(id) { "extensible " } else { "" };
        let name = self.schema.qualified_name(id);
        match &definition.kind {
            Kind::Interface(interface) => {
                self.line(&format!("{extensible}interface {name}"));
                let mut methods: Vec<&Method<'_>> = interface.methods.iter().collect();
                methods.sort_by_key(|method| method.ordinal);
                methods.into_iter().for_each(|method| self.method(method));
            }
            Kind::Struct(structure) => {
                self.line(&format!("{extensible}struct {name}"));
                self.fields("field", &structure.fields);
            }
            Kind::Union(union) => {
                self.line(&format!("{extensible}union {name}"));
                let mut members: Vec<&Field<'_>> = union.members.iter().collect();
                members.sort_by_key(|member| member.ordinal);
                for member in members {
                    let value_type = type_text(&member.value_type, self.schema);
                    let Field { min_version, ordinal, name, .. } = member;
                    self.line(&format!("member {min_version} {ordinal} {name} {value_type}"));
                }
            }
            Kind::Enum(enumeration) => {
                self.line(&format!("{extensible}enum {name}"));
                let mut values: Vec<_> = enumeration.values.iter().collect();
                values.sort_by_key(|value| value.number);
                for value in values {
                    self.line(&format!("value {} {} {}", value.min_version, value.number, value.name));
                }
            }
            Kind::Const(_) => {}
        }
    }

    fn method(&mut self, method: &Method<'_>) {
        self.line(&format!("method {} {} {}", method.min_version, method.ordinal, method.name));
        self.fields("in", &method.parameters);
        if let Some(response) = &method.response {
            self.line("answers");
            self.fields("out", response);
        }
        if let Some(error) = &method.error {
            self.line(&format!("error {}", type_text(error, self.schema)));
        }
    }

    fn fields(&mut self, what: &str, fields: &[Field<'_>]) {
        for field in fields {
            let value_type = type_text(&field.value_type, self.schema);
            self.line(&format!("{what} {} {} {value_type}", field.min_version, field.name));
        }
    }
}
