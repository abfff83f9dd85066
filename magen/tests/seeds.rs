//! The interfaces that the language was described with compile as they were written.

mod common;

use std::fs;

fn code(name: &str) -> String {
    let path = common::directory("seed").join(name);
    magen::generate_file(&path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_first_example_compiles() {
    for name in ["parent_process.magen", "parent_process_early.magen"] {
        let code = code(name);
        assert!(code.contains("fn navigate_to_url(&mut self, url: ::std::string::String, delay: i32);"));
        assert!(code.contains("fn open_file(&mut self, name: ::std::string::String, truncate: bool);"));
        assert!(code.contains("fn bind_child_process_remote(&mut self, child_remote: ::mage::MessagePipe);"));
        assert!(!code.contains("Child tells parent"), "a plain comment is not documentation");
    }
}

#[test]
fn the_example_of_the_four_steps_compiles() {
    let code = code("network_process.magen");
    assert!(
        code.contains(
            "pub fn fetch_url(&self, url: &str) -> ::core::result::Result<(), ::mage::SendError> {"
        )
    );
}

#[test]
fn comments_may_stand_anywhere() {
    let commented = code("comments.magen");
    let bare = "interface Comments { Everywhere(string text, int number) => (bool ok); Last(); }";
    assert_eq!(commented, magen::generate(bare, "comments.magen").unwrap());
}

#[test]
fn the_fixtures_are_all_compiled() {
    let count = fs::read_dir(common::directory("seed")).unwrap().count();
    assert_eq!(count, 4);
}
