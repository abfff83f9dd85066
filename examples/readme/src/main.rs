//! The process that asks: step 4.
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

mage::include_magen!("network_process");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let node = mage::Node::new(mage::tokio::current());
    let launched = node.launch::<dyn NetworkProcess>(&mut std::process::Command::new("network-process"))?;
    let answer = launched.remote.fetch_url("https://example.com/").await?;
    println!("{} {}", answer.status, answer.size);
    Ok(())
}
