//! Interfaces and their methods.

use super::Checker;
use super::attributes::Place;
use super::fields::{Addition, additions_of};
use super::names::Names;
use crate::ast::{self, Number};
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::schema::{Field, Interface, Method};

impl<'source> Checker<'source, '_> {
    pub(super) fn interface(
        &mut self,
        methods: Vec<ast::Method<'source>>,
        reserved: &[Number],
        is_extensible: bool,
    ) -> Interface<'source> {
        let mut names = Names::new(DiagnosticKind::DuplicateMethod, "method");
        let written: Vec<_> = methods.iter().map(|method| (method.name, method.ordinal)).collect();
        for (name, _) in &written {
            if naming::is_never_a_name(&naming::snake_case(name.text)) {
                let why = "it becomes a Rust keyword that can never be a name";
                super::report::reserved(*name, why, self.reporter);
            }
            names.declare(*name, self.reporter);
        }
        let additions: Vec<_> =
            methods.iter().map(|method| Addition::new(method.name, &method.attributes)).collect();
        self.check_additions(&additions, is_extensible, None);
        let ordinals = self.ordinals(&written, reserved, "method");
        let mut checked = Vec::with_capacity(methods.len());
        for method in methods {
            let ordinal = ordinals.get(method.name.text).copied().unwrap_or_default();
            checked.push(self.method(method, ordinal, is_extensible));
        }
        Interface { methods: checked, is_extensible }
    }

    fn method(&mut self, method: ast::Method<'source>, ordinal: u32, is_extensible: bool) -> Method<'source> {
        let min_version = self.attributes(&method.attributes, Place::Method).min_version;
        for list in [Some(&method.parameters), method.response.as_ref()].into_iter().flatten() {
            self.check_additions(&additions_of(list), is_extensible, Some(min_version));
        }
        if method.response.is_some() {
            let is_reply =
                |parameter: &&ast::Field<'_>| naming::snake_case(parameter.name.text) == naming::REPLY;
            if let Some(parameter) = method.parameters.iter().find(is_reply) {
                let why = "a method with a response is handed its `reply` under this name";
                super::report::reserved(parameter.name, why, self.reporter);
            }
        }
        let parameters = self.fields(method.parameters, Place::Parameter);
        let response = method.response.map(|values| self.response(values));
        let error = method.error.and_then(|written| {
            let error = self.value_type(&written)?;
            if error.has_bound() {
                self.reporter.report(
                    Diagnostic::new(DiagnosticKind::WrongArguments, written.span, "an error has no bounds")
                        .help("declare a struct, and put the value into it"),
                );
            }
            Some(error)
        });
        Method {
            docs: method.docs,
            name: method.name.text,
            span: method.name.span,
            ordinal,
            parameters,
            response,
            error,
            min_version,
        }
    }

    fn response(&mut self, values: Vec<ast::Field<'source>>) -> Vec<Field<'source>> {
        let names = Names::new(DiagnosticKind::DuplicateParameter, "response value");
        self.named_fields(values, Place::Parameter, names)
    }
}
