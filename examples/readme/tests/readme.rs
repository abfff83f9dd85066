//! What the README shows is what is compiled and run here.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What "Sending pipes" begins with.
mod bootstrap {
    mage::magen! {
        interface Bootstrap {
          SendCompositorReceiver(MessagePipe receiver);
        }

        interface Compositor {
          StartCompositing();
        }
    }
}

use bootstrap::{Bootstrap, BootstrapMessage, Compositor, CompositorMessage};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).expect("there is one")
}

/// The blocks in this language.
fn blocks<'page>(page: &'page str, language: &str) -> Vec<&'page str> {
    let fence = format!("\n```{language}\n");
    let rest = page.split(fence.as_str()).skip(1);
    rest.map(|rest| rest.split_once("\n```").expect("the block ends").0).collect()
}

/// The words, however they are laid out.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn every_block_is_compiled() {
    let page = readme();
    let (mut titled, mut untitled) = (0, 0);
    for block in [blocks(&page, "rust"), blocks(&page, "cpp")].concat() {
        let (file, code) = match block.split_once('\n') {
            Some((title, code)) if title.starts_with("// ") => (&title[3..], code),
            _ => ("tests/readme.rs", block),
        };
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect(file);
        let (text, code) = (words(&text), words(code));
        assert!(text.windows(code.len()).any(|window| window == code), "this is not in {file}:\n{block}");
        *if file == "tests/readme.rs" { &mut untitled } else { &mut titled } += 1;
    }
    assert_eq!((titled, untitled), (4, 1), "the steps, and what follows them");
    assert!(!page.contains("```rust,"), "a block that nobody compiles");
}

#[test]
fn the_steps_work() {
    let programs = Path::new(env!("CARGO_BIN_EXE_network-process")).parent().expect("a directory");
    let paths = env::var_os("PATH").unwrap_or_default();
    let paths = env::join_paths([programs.to_owned()].into_iter().chain(env::split_paths(&paths)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_main-process"));
    command.env("PATH", paths.expect("a path")).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "200 20\n");
}

#[test]
fn pipes_are_sent() -> Result<(), Box<dyn std::error::Error>> {
    let mut event_loop = mage::event_loop::EventLoop::new()?;
    let node = mage::Node::new(event_loop.scheduler());
    let (near, far) = node.create_message_pipes();
    let bootstrap = mage::Remote::<dyn Bootstrap>::new(near);

    let (ours, theirs) = node.create_message_pipes();
    bootstrap.send_compositor_receiver(theirs)?; // moved: it cannot be used twice
    let compositor = mage::Remote::<dyn Compositor>::new(ours);
    compositor.start_compositing()?; // waits at the other side until somebody listens

    event_loop.run_until(async {
        let mut receiver = mage::Receiver::<dyn Bootstrap>::new(far);
        let Some(BootstrapMessage::SendCompositorReceiver { receiver }) = receiver.recv().await? else {
            panic!("it was not closed");
        };
        let mut receiver = mage::Receiver::<dyn Compositor>::new(receiver);
        assert!(matches!(receiver.recv().await?, Some(CompositorMessage::StartCompositing)));
        Ok(())
    })
}
