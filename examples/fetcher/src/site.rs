//! A small web site on this machine, so that the example has something to fetch without a network.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const REQUEST_BYTES_MAX: u64 = 16 * 1024;
static CHUNK: [u8; 64 * 1024] = [b'.'; 64 * 1024];
const LARGE_CHUNKS: usize = 192;
const STREAM_CHUNKS: usize = 40;

/// What it serves: one page after the other, in order of interest.
const PATHS: [&str; 6] = ["/", "/large", "/slow", "/stream", "/moved", "/missing"];

/// A site that is up until the process ends.
pub(crate) struct Site {
    address: SocketAddr,
    /// Where nobody listens.
    deserted: SocketAddr,
}

impl Site {
    /// Starts it. One that `stalls` never comes to the end of its slow pages.
    pub(crate) fn start(stalls: bool) -> io::Result<Self> {
        // Bound before the other one is up and gone again, so that the two are not the same.
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let deserted = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A visitor who leaves early is no concern of the site.
                thread::spawn(move || answer(&stream, stalls));
            }
        });
        Ok(Self { address, deserted })
    }

    /// Everything there is to fetch, and one address that refuses.
    pub(crate) fn urls(&self) -> Vec<String> {
        let pages = PATHS.iter().map(|path| format!("http://{}{path}", self.address));
        pages.chain([format!("http://{}/refused", self.deserted)]).collect()
    }
}

fn answer(stream: &TcpStream, stalls: bool) -> io::Result<()> {
    let mut reader = BufReader::new(stream.take(REQUEST_BYTES_MAX));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    match request.split(' ').nth(1).unwrap_or_default() {
        "/" => page(stream, "200 OK", "", "<h1>Welcome</h1>\n"),
        "/moved" => page(stream, "302 Found", "Location: /\r\n", ""),
        "/slow" => {
            if stalls {
                return outstay(stream);
            }
            thread::sleep(Duration::from_millis(1200));
            page(stream, "200 OK", "", "<p>Good things take their time.</p>\n")
        }
        "/large" => {
            let size = LARGE_CHUNKS * CHUNK.len();
            write!(&*stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n")?;
            if stalls {
                return outstay(stream);
            }
            trickle(stream, LARGE_CHUNKS, Duration::from_millis(8))
        }
        "/stream" => {
            // No length: the end of the connection is the end of the page.
            write!(&*stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            if stalls {
                return outstay(stream);
            }
            trickle(stream, STREAM_CHUNKS, Duration::from_millis(20))
        }
        _ => page(stream, "404 Not Found", "", "<p>There is no such page.</p>\n"),
    }
}

fn page(mut stream: &TcpStream, status: &str, headers: &str, body: &str) -> io::Result<()> {
    let size = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {size}\r\n{headers}\r\n{body}")
}

/// Says nothing more for as long as the visitor is there.
fn outstay(mut stream: &TcpStream) -> io::Result<()> {
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

/// Sends chunks at the pace of a network that is not inside one machine.
fn trickle(mut stream: &TcpStream, chunks: usize, pause: Duration) -> io::Result<()> {
    for _ in 0..chunks {
        stream.write_all(&CHUNK)?;
        thread::sleep(pause);
    }
    Ok(())
}
