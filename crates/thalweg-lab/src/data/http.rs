//! One request over HTTP, whose answer comes in pieces.
//!
//! The request runs on a thread of its own, since a read from a network cannot be interrupted: whoever waits for pieces looks at the
//! interrupt in between. A thread that nobody waits for any more ends with its next piece, or when its time is over.

use std::io::{self, Read as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use ureq::http::{Response, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::FetchError;
use crate::interrupt;

/// How long an address may take to answer.
const ANSWER: Duration = Duration::from_secs(30);
/// How long nothing may come.
const STALLED: Duration = Duration::from_secs(60);
/// Bytes of a piece.
const PIECE: usize = 1 << 16;
/// Pieces that may wait.
const WAITING: usize = 16;
/// How long an interrupt may wait.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The head of an answer.
#[derive(Debug)]
pub(super) struct Head {
    /// Status of HTTP.
    pub(super) status: u16,
    /// Bytes that are to follow, if that is said.
    pub(super) length: Option<u64>,
    /// Of a part of a file: the first byte of it.
    pub(super) from: Option<u64>,
}

/// An answer whose head has come.
pub(super) struct Answer {
    pub(super) head: Head,
    pieces: Receiver<Event>,
}

enum Event {
    Head(Head),
    Piece(Vec<u8>),
    End,
    Failed(String),
}

/// Asks for a file, or for what it has from byte `from` on.
pub(super) fn get(url: &str, from: u64) -> Result<Answer, FetchError> {
    let unreachable = |reason: String| FetchError::Unreachable { url: url.to_owned(), reason };
    let agent = agent(url).map_err(unreachable)?;
    let (sender, pieces) = sync_channel(WAITING);
    let address = url.to_owned();
    thread::Builder::new()
        .name("download".to_owned())
        .spawn(move || {
            let mut request = agent.get(&address);
            if from > 0 {
                request = request.header(header::RANGE, format!("bytes={from}-"));
            }
            match request.call() {
                Ok(response) => pass_on(response, &sender),
                // Nobody waits any more if this cannot be told.
                Err(error) => drop(sender.send(Event::Failed(error.to_string()))),
            }
        })
        .map_err(|error| unreachable(error.to_string()))?;
    match next(&pieces)? {
        Event::Head(head) => Ok(Answer { head, pieces }),
        Event::Failed(reason) => Err(unreachable(reason)),
        Event::Piece(_) | Event::End => Err(unreachable("no head".to_owned())),
    }
}

impl Answer {
    /// The next bytes, none at the end; in words why the answer broke off, if it did.
    pub(super) fn piece(&self) -> Result<Result<Vec<u8>, String>, FetchError> {
        Ok(match next(&self.pieces)? {
            Event::Piece(bytes) => Ok(bytes),
            Event::End | Event::Head(_) => Ok(Vec::new()),
            Event::Failed(reason) => Err(reason),
        })
    }
}

fn next(events: &Receiver<Event>) -> Result<Event, FetchError> {
    loop {
        interrupt::check()?;
        match events.recv_timeout(LOOK_EVERY) {
            Ok(event) => return Ok(event),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Event::Failed("the request ended without a word".to_owned()));
            }
        }
    }
}

fn pass_on(response: Response<Body>, to: &SyncSender<Event>) {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let head = Head {
        status: response.status().as_u16(),
        length: text(header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok()),
        from: text(header::CONTENT_RANGE).and_then(first_byte),
    };
    if to.send(Event::Head(head)).is_err() {
        return;
    }
    let mut body = response.into_body().into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        let event = match body.read(&mut piece) {
            Ok(0) => Event::End,
            Ok(count) => {
                piece.truncate(count);
                Event::Piece(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Event::Failed(error.to_string()),
        };
        let goes_on = matches!(event, Event::Piece(_));
        if to.send(event).is_err() || !goes_on {
            return;
        }
    }
}

/// Of `bytes 100-199/200` the 100.
fn first_byte(range: &str) -> Option<u64> {
    range.trim().strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

/// A client; proxies are those that the environment names (`HTTPS_PROXY` and so on).
fn agent(url: &str) -> Result<Agent, String> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("thalweg/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(ANSWER))
        .timeout_connect(Some(ANSWER))
        .timeout_recv_response(Some(STALLED))
        .timeout_per_read(Some(STALLED));
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    // Plain HTTP needs no roots of trust, but it may lead to where they are needed.
    let tls = match roots() {
        Ok(roots) => tls.root_certs(RootCerts::Specific(roots)).build(),
        Err(reason) if url.starts_with("https:") => return Err(reason),
        Err(_) => tls.root_certs(RootCerts::Specific(Arc::default())).build(),
    };
    Ok(config.tls_config(tls).build().into())
}

/// The certificates that the system trusts, read once.
fn roots() -> Result<Arc<Vec<Certificate<'static>>>, String> {
    static ROOTS: OnceLock<Result<Arc<Vec<Certificate<'static>>>, String>> = OnceLock::new();
    let load = || {
        let loaded = rustls_native_certs::load_native_certs();
        let certificates: Vec<_> =
            loaded.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
        if certificates.is_empty() {
            let why = loaded.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(format!(
                "expected certificates to trust (Debian's package ca-certificates, or a file that SSL_CERT_FILE names), found none{why}"
            ));
        }
        Ok(Arc::new(certificates))
    };
    ROOTS.get_or_init(load).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_begin_with_a_number() {
        assert_eq!(first_byte("bytes 100-199/200"), Some(100));
        assert_eq!(first_byte(" bytes 0-0/*"), Some(0));
        for other in ["", "bytes */200", "items 1-2/3", "bytes -5/9", "bytes 99999999999999999999-1/2"] {
            assert_eq!(first_byte(other), None, "{other}");
        }
    }
}
