use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Display, LINE_AT_LEAST_EVERY, LINE_EVERY, Progress, size, spelled};

fn plain() -> (Progress, impl Fn() -> Vec<String>) {
    let sink = Arc::new(Mutex::new(Vec::<u8>::new()));
    let progress = Progress { display: Display::Lines(sink.clone()) };
    let lines = move || {
        let text = String::from_utf8(sink.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    (progress, lines)
}

#[test]
fn a_short_stage_is_two_plain_lines() {
    let (progress, lines) = plain();
    let stage = progress.stage("Train", 100, "epochs");
    stage.message("loss 0.31");
    for _ in 0..100 {
        stage.inc(1);
    }
    stage.finish();
    let lines = lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], "Train: 100 epochs …");
    assert!(
        lines[1].starts_with("Train: 100 epochs in 0.0") && lines[1].ends_with(" s  loss 0.31"),
        "{lines:?}"
    );
}

#[test]
fn a_long_stage_says_where_it_is_but_not_often() {
    let (progress, lines) = plain();
    let stage = progress.stage("Train", 1000, "steps");
    let pretend = |waited: Duration| stage.state.lock().unwrap().line_at = Instant::now() - waited;
    stage.inc(500);
    assert_eq!(lines().len(), 1, "no time has passed");
    pretend(LINE_EVERY);
    stage.inc(1);
    assert_eq!(lines().len(), 2);
    assert!(lines()[1].starts_with("Train: 501 of 1000 steps after 0.0"), "{:?}", lines());
    assert!(lines()[1].ends_with(" left"), "{:?}", lines());
    pretend(LINE_EVERY);
    stage.inc(1);
    assert_eq!(lines().len(), 2, "time has passed but little was done");
    pretend(LINE_AT_LEAST_EVERY);
    stage.inc(1);
    assert_eq!(lines().len(), 3, "a sign of life");
}

#[test]
fn a_stage_that_fails_says_so() {
    let (progress, lines) = plain();
    let stage = progress.stage("Hessian", 0, "products");
    stage.inc(3);
    drop(stage);
    let lines = lines();
    assert_eq!(lines[0], "Hessian …");
    assert!(lines[1].starts_with("Hessian: stopped after 3 products in "), "{lines:?}");
}

#[test]
fn resumed_steps_count_but_not_in_the_time_left() {
    let (progress, lines) = plain();
    let mut stage = progress.stage("Train", 1000, "steps");
    stage.resume_at(900);
    stage.started = Instant::now() - Duration::from_secs(100);
    stage.state.lock().unwrap().line_at = Instant::now() - LINE_AT_LEAST_EVERY;
    stage.inc(50);
    // 50 steps took 100 s: the other 50 will too.
    assert_eq!(lines()[1], "Train: 950 of 1000 steps after 1 min 40 s, 1 min 40 s left");
}

#[test]
fn threads_report_to_one_stage() {
    let (progress, lines) = plain();
    let stage = progress.stage("Grid", 4000, "points");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| stage.inc(1)));
        }
    });
    stage.finish();
    assert!(lines()[1].starts_with("Grid: 4000 points in "));
}

#[test]
fn quiet_and_bars_take_the_same_calls() {
    for display in [Display::Quiet, Display::Bars(indicatif::MultiProgress::new())] {
        let progress = Progress { display };
        for total in [0, 10] {
            let stage = progress.stage("Train", total, "epochs");
            stage.resume_at(1);
            stage.inc(9);
            stage.message("{loss} 0.31");
            assert_eq!(stage.state.lock().unwrap().done, 10);
            stage.finish();
        }
    }
}

#[test]
fn times_are_spelled_in_about_three_digits() {
    let spelled = |seconds: f64| spelled(Duration::from_secs_f64(seconds));
    assert_eq!(spelled(0.414), "0.41 s");
    assert_eq!(spelled(12.34), "12.3 s");
    assert_eq!(spelled(192.0), "3 min 12 s");
    assert_eq!(spelled(7385.0), "2 h 03 min");
}

#[test]
fn bytes_are_shown_with_their_rate() {
    let (progress, lines) = plain();
    let mut stage = progress.stage("x.gz", 9_912_422, "bytes");
    stage.started -= Duration::from_secs(10);
    stage.resume_at(2_000_000);
    stage.state.lock().unwrap().line_at = Instant::now() - LINE_EVERY;
    stage.inc(3_000_000);
    assert_eq!(lines()[0], "x.gz: 9.91 MB …");
    assert_eq!(lines()[1], "x.gz: 5.00 MB of 9.91 MB after 10.0 s, 300 kB/s, 16.4 s left");
    stage.finish();
    assert_eq!(lines()[2], "x.gz: 5.00 MB in 10.0 s");
}

#[test]
fn sizes_have_three_digits() {
    let shown =
        [0, 999, 1000, 28_881, 999_499, 999_999, 9_994_999, 9_995_000, 170_052_171, u64::MAX].map(size);
    assert_eq!(
        shown,
        [
            "0 bytes",
            "999 bytes",
            "1.00 kB",
            "28.9 kB",
            "999 kB",
            "1.00 MB",
            "9.99 MB",
            "10.0 MB",
            "170 MB",
            "18.4 EB"
        ]
    );
}
