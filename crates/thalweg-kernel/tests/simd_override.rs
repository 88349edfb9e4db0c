//! `THALWEG_SIMD` narrows the vector instructions. It is read once a process, so each value gets a process.

use std::process::Command;

use thalweg_kernel::instruction_set;

/// The child's part: without the variables there is nothing to compare, and the name must be a known one.
#[test]
fn names_what_is_in_use() {
    match std::env::var("THALWEG_TEST_EXPECTS") {
        Ok(expected) => assert_eq!(instruction_set(), expected),
        Err(_) => assert!(["avx512", "avx2", "neon", "portable"].contains(&instruction_set())),
    }
}

#[test]
fn the_environment_narrows_it() {
    let succeeds = |wanted: &str, expected: &str| {
        let child = Command::new(std::env::current_exe().expect("the path of this test"))
            .args(["--exact", "names_what_is_in_use"])
            .env("THALWEG_SIMD", wanted)
            .env("THALWEG_TEST_EXPECTS", expected)
            .output()
            .expect("the test runs as a child");
        child.status.success()
    };
    let widest = instruction_set();
    assert!(succeeds("portable", "portable"));
    assert!(succeeds(widest, widest));
    assert!(succeeds("no such instructions", widest));
    assert!(!succeeds("portable", "no such instructions"));
    if widest == "avx512" {
        assert!(succeeds("avx2", "avx2"));
    }
}
