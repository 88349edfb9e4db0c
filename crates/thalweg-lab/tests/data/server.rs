//! A server for a test: real sockets, answers as it is told, all requests noted down. It ends when it is dropped.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// The first byte that is asked for, 0 of whole files.
    pub(crate) from: usize,
}

/// What is answered.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Lines of the head.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
    /// Bytes of the body after which nothing more is sent.
    pub(crate) cut: Option<usize>,
    /// Whether the connection stays open then, with nothing to read, until the server ends.
    pub(crate) holds: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        let head = vec![format!("Content-Length: {}", body.len())];
        Self { status, head, body: body.to_vec(), cut: None, holds: false }
    }

    /// A file as servers give it, or what it has from a byte on.
    pub(crate) fn ranged(file: &[u8], from: usize) -> Self {
        if from == 0 {
            return Self::new(200, file);
        }
        if from >= file.len() {
            return Self::new(416, b"");
        }
        let mut reply = Self::new(206, &file[from..]);
        reply.head.push(format!("Content-Range: bytes {from}-{}/{}", file.len() - 1, file.len()));
        reply
    }

    pub(crate) fn cut(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }

    pub(crate) fn holding(self) -> Self {
        Self { holds: true, ..self }
    }
}

pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers by a request and the number of those before it.
    pub(crate) fn new(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::new(AtomicBool::new(false));
        let (noted, ending, answer) = (Arc::clone(&requests), Arc::clone(&ends), Arc::new(answer));
        let thread = thread::spawn(move || {
            let mut connections = Vec::new();
            for stream in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    break;
                }
                let (noted, ending, answer) = (Arc::clone(&noted), Arc::clone(&ending), Arc::clone(&answer));
                let serve = move || {
                    let Ok(mut stream) = stream else { return };
                    let Some(request) = read(&mut stream) else { return };
                    let before = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(request.clone());
                        noted.len() - 1
                    };
                    send(&mut stream, &answer(&request, before), &ending);
                };
                connections.push(thread::spawn(serve));
            }
            for connection in connections {
                connection.join().unwrap();
            }
        });
        Self { port, requests, ends, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 || head.len() > 1 << 16 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let range = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let from = range.and_then(|range| range.trim().trim_end_matches('-').parse().ok()).unwrap_or(0);
    Some(Request { path, from })
}

fn send(stream: &mut TcpStream, reply: &Reply, ends: &AtomicBool) {
    let head: String = reply.head.iter().map(|line| format!("{line}\r\n")).collect();
    let head = format!("HTTP/1.1 {} Text\r\nConnection: close\r\n{head}\r\n", reply.status);
    let body = &reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())];
    // The other end may be gone, which is what some tests are about.
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    while sent.is_ok() && reply.holds && !ends.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
    drop(stream.shutdown(Shutdown::Both));
}
