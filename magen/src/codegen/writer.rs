//! Lines of Rust, broken where rustfmt breaks them by default.

use crate::ast::Docs;

/// The widest line of code.
const LINE_WIDTH_MAX: usize = 100;
/// The widest list of arguments that stays on one line.
const ARGUMENTS_WIDTH_MAX: usize = 60;
/// The widest argument that shares a line with others where not all of them fit on one.
const SHORT_ARGUMENT_WIDTH_MAX: usize = 10;
/// How much wider than a line the end of a signature gets before its type is broken instead.
const BRACE_WIDTH_MAX: usize = 8;
/// The widest list of fields, in an expression or a pattern, that stays on one line.
const FIELDS_WIDTH_MAX: usize = 18;
const INDENT_WIDTH: usize = 4;

/// Text with an indentation.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { text: String::new(), depth: 0 }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// One line; of several in `text`, each is indented.
    pub(super) fn line(&mut self, text: &str) {
        for line in text.split('\n') {
            self.text.extend(std::iter::repeat_n(' ', self.depth * INDENT_WIDTH));
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// `header {`, and the following lines are inside.
    pub(super) fn open(&mut self, header: &str) {
        self.line(&format!("{header} {{"));
        self.depth += 1;
    }

    /// After a line that opened a block itself: the following lines are inside.
    pub(super) fn indent(&mut self) {
        self.depth += 1;
    }

    /// What `indent` began ends here.
    pub(super) fn dedent(&mut self) {
        self.depth -= 1;
    }

    /// `before`, then lines of text just as they are, and `after` behind the last.
    pub(super) fn text(&mut self, before: &str, text: &str, after: &str) {
        self.line(before);
        self.text.push_str(text);
        self.text.push_str(after);
        self.text.push('\n');
    }

    /// `header {}`
    pub(super) fn open_and_close(&mut self, header: &str) {
        self.line(&format!("{header} {{}}"));
    }

    pub(super) fn close(&mut self) {
        self.close_with("");
    }

    /// `}` and what follows it.
    pub(super) fn close_with(&mut self, suffix: &str) {
        self.depth -= 1;
        self.line(&format!("}}{suffix}"));
    }

    /// What ends a list that has been opened by a line of its own.
    pub(super) fn close_list(&mut self, end: &str) {
        self.depth -= 1;
        self.line(end);
    }

    /// `impl what for whom {`, in two lines if it is wide.
    pub(super) fn open_impl(&mut self, what: &str, whom: &str) {
        if self.fits(&format!("impl{what} for {whom} {{")) {
            self.open(&format!("impl{what} for {whom}"));
        } else {
            self.line(&format!("impl{what}\n    for {whom}\n{{"));
            self.depth += 1;
        }
    }

    /// `pub struct name {`, in two lines if it is wide.
    pub(super) fn open_struct(&mut self, name: &str) {
        let header = format!("pub struct {name}");
        if self.fits(&format!("{header} {{")) {
            self.open(&header);
        } else {
            self.line(&format!("{header}\n{{"));
            self.depth += 1;
        }
    }

    /// The lines of `docs`, or `default` if there are none.
    pub(super) fn docs(&mut self, docs: &Docs<'_>, default: &str) {
        if docs.lines.is_empty() {
            self.line(&format!("/// {default}"));
        }
        for line in &docs.lines {
            self.line(&format!("///{line}"));
        }
    }

    /// `prefix(parameters)suffix`, in one line or with one parameter per line.
    pub(super) fn signature(&mut self, prefix: &str, parameters: &[String], suffix: &str) {
        let one_line = format!("{prefix}({}){suffix}", parameters.join(", "));
        if self.fits(&one_line) {
            return self.line(&one_line);
        }
        self.line(&format!("{prefix}("));
        self.depth += 1;
        for parameter in parameters {
            self.parameter(parameter);
        }
        self.depth -= 1;
        self.signature_end(suffix);
    }

    /// The last line of a signature whose parameters have lines of their own. Here rustfmt counts the indentation twice.
    fn signature_end(&mut self, suffix: &str) {
        let line = format!("){suffix}");
        let Some(head) = line.strip_suffix(" {") else {
            return self.line(&line);
        };
        let width = line.len() + 2 * self.depth * INDENT_WIDTH;
        match head.strip_suffix('>').and_then(|head| head.split_once('<')) {
            _ if width <= LINE_WIDTH_MAX => self.line(&line),
            Some((outer, inner)) if width > LINE_WIDTH_MAX + BRACE_WIDTH_MAX => {
                self.line(&format!("{outer}<\n    {inner},\n> {{"));
            }
            _ => self.line(&format!("{head}\n{{")),
        }
    }

    /// One parameter on a line of its own; of a wide one, what the type is generic over gets lines of its own.
    fn parameter(&mut self, parameter: &str) {
        let line = format!("{parameter},");
        match parameter.strip_suffix('>').and_then(|parameter| parameter.split_once('<')) {
            Some((outer, inner)) if !self.fits(&line) => {
                self.line(&format!("{outer}<"));
                self.depth += 1;
                for part in generic_parts(inner) {
                    self.line(&format!("{part},"));
                }
                self.depth -= 1;
                self.line(">,");
            }
            _ => self.line(&line),
        }
    }

    /// `name: value_type,`, with the type on the next line if it fits there better.
    pub(super) fn field(&mut self, name: &str, value_type: &str) {
        let line = format!("{name}: {value_type},");
        if self.fits(&line) {
            self.line(&line);
        } else if self.fits(&format!("    {value_type},")) {
            self.line(&format!("{name}:\n    {value_type},"));
        } else {
            self.parameter(&format!("{name}: {value_type}"));
        }
    }

    /// The arm `path { fields } => function(arguments)` of a match.
    pub(super) fn call_arm(&mut self, path: &str, fields: &[String], function: &str, arguments: &[String]) {
        let one_line = format!("{path} {{ {} }} =>", fields.join(", "));
        let start = if fields.is_empty() {
            format!("{path} =>")
        } else if fields.join(", ").len() <= FIELDS_WIDTH_MAX && self.fits(&format!("{one_line} {{")) {
            one_line
        } else {
            self.line(&format!("{path} {{"));
            self.depth += 1;
            for field in fields {
                self.line(&format!("{field},"));
            }
            self.depth -= 1;
            "} =>".to_owned()
        };
        let list = arguments.join(", ");
        let call = format!("{start} {function}({list}),");
        if list.len() <= ARGUMENTS_WIDTH_MAX && self.fits(&call) {
            return self.line(&call);
        }
        self.open(&start);
        let statement = format!("{function}({list});");
        if list.len() <= ARGUMENTS_WIDTH_MAX && self.fits(&statement) {
            self.line(&statement);
        } else {
            self.wide_call(function, arguments);
        }
        self.close();
    }

    /// A call with its arguments on lines of their own: short ones share lines, else each has one.
    fn wide_call(&mut self, function: &str, arguments: &[String]) {
        self.line(&format!("{function}("));
        self.depth += 1;
        let share_lines = arguments.iter().all(|argument| argument.len() <= SHORT_ARGUMENT_WIDTH_MAX);
        let mut line = String::new();
        for argument in arguments {
            let longer = format!("{line} {argument},");
            if line.is_empty() {
                line = format!("{argument},");
            } else if share_lines && self.fits(&longer) {
                line = longer;
            } else {
                self.line(&line);
                line = format!("{argument},");
            }
        }
        self.line(&line);
        self.depth -= 1;
        self.line(");");
    }

    /// `pattern => return value,`, in a block if it is wide.
    pub(super) fn return_arm(&mut self, pattern: &str, value: &str) {
        let line = format!("{pattern} => return {value},");
        // Here rustfmt keeps room for one character more.
        if self.fits(&format!("{line};")) {
            return self.line(&line);
        }
        self.open(&format!("{pattern} =>"));
        self.line(&format!("return {value};"));
        self.close();
    }

    /// `name: receiver.call,`, in several lines if it is wide.
    pub(super) fn field_call(&mut self, name: &str, receiver: &str, call: &str) {
        if let Some((default, read)) = take_or_arguments(call)
            && default.len() + read.len() + ", ".len() > ARGUMENTS_WIDTH_MAX
        {
            return self.wide_take_or(&format!("{name}: {receiver}"), default, read);
        }
        let line = format!("{name}: {receiver}.{call},");
        let next = format!("    .{call},");
        // Where there is a `?`, rustfmt keeps room for two characters more.
        if self.fits(&format!("{line};;")) {
            return self.line(&line);
        }
        self.line(&format!("{name}: {receiver}"));
        match call.rsplit_once("(\"").filter(|_| !self.fits(&next)) {
            // The name of a field gets a line of its own.
            Some((function, rest)) => {
                let (field, end) = rest.split_once(')').unwrap_or((rest, ""));
                self.line(&format!("    .{function}(\n        \"{field},\n    ){end},"));
            }
            None => self.line(&next),
        }
    }

    /// `start.take_or(default, |reader| value)?,`: of two closures each has a line, and one alone opens a block.
    fn wide_take_or(&mut self, start: &str, default: &str, read: &str) {
        if default.starts_with("||") {
            return self.line(&format!("{start}.take_or(\n    {default},\n    {read},\n)?,"));
        }
        let value = read.strip_prefix(READ).unwrap_or(read);
        self.line(&format!("{start}.take_or({default}, {READ}{{\n    {value}\n}})?,"));
    }

    /// `prefix Name { field: value, .. } suffix`, on one line if it is short.
    pub(super) fn struct_literal(
        &mut self,
        prefix: &str,
        name: &str,
        fields: &[(String, String)],
        suffix: &str,
    ) {
        let list: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let list = list.join(", ");
        if fields.is_empty() {
            return self.line(&format!("{prefix}{name} {{}}{suffix}"));
        }
        if list.len() <= FIELDS_WIDTH_MAX {
            return self.line(&format!("{prefix}{name} {{ {list} }}{suffix}"));
        }
        self.open(&format!("{prefix}{name}"));
        for (name, value) in fields {
            self.take(name, value);
        }
        self.close_with(suffix);
    }

    /// `name: value,`, where the value may be a wide call of `take_as` or `take_or`.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        match value.split_once(".take") {
            Some((receiver, call)) => self.field_call(name, receiver, &format!("take{call}")),
            None => self.line(&format!("{name}: {value},")),
        }
    }

    fn fits(&self, line: &str) -> bool {
        self.depth * INDENT_WIDTH + line.len() <= LINE_WIDTH_MAX
    }
}

/// How the closure begins that reads an addition.
const READ: &str = "|reader| ";

/// What `take_or` is called with, if that is what is called.
fn take_or_arguments(call: &str) -> Option<(&str, &str)> {
    let list = call.strip_prefix("take_or(")?.strip_suffix(")?")?;
    let place = list.rfind(READ)?;
    Some((list[..place].strip_suffix(", ")?, &list[place..]))
}

/// The types that something is generic over.
fn generic_parts(list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (place, letter) in list.char_indices() {
        match letter {
            '<' | '[' | '(' => depth += 1,
            '>' | ']' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(list[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts
}
