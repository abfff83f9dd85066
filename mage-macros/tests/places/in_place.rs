mage_macros::magen! {
    /// Keeps lines.
    interface Logger {
        Log(strng text, int level);
        Log(string text, [MinVersion=0] int level) => (int);
    }
    struct P { int x = "a"; }
}

fn main() {}
