//! Constants.

use super::ALLOWED;
use super::structure::literal;
use super::type_name::TypeNames;
use super::writer::Writer;
use crate::schema::{Const, Definition, ValueType};

pub(super) fn write(
    definition: &Definition<'_>,
    constant: &Const<'_>,
    names: TypeNames<'_>,
    writer: &mut Writer,
) {
    let Some(value) = constant.value else { return };
    writer.blank();
    writer.docs(&definition.docs, &format!("The constant `{}`.", definition.name));
    writer.line(ALLOWED);
    let value_type = match &constant.value_type {
        ValueType::Text(_) => "&str".to_owned(),
        other => names.owned(other),
    };
    let value = literal(value, &constant.value_type);
    writer.line(&format!("pub const {}: {value_type} = {value};", definition.name));
}
