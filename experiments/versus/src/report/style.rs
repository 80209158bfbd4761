//! The page's style sheet, in the colours of the other experiments' pages.

pub(super) const STYLE: &str = r#"
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --card: #ffffff; --ink: #1d2126; --soft: #5d656e; --faint: #8b939b; --line: #e4e1da;
  --one: #2f6f5e; --two: #c2702c; --three: #5a6fb0; --four: #a04668; --good: #2f6f5e; --bad: #b3382c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1b1f23; --ink: #e9e7e2; --soft: #a4abb2; --faint: #77808a; --line: #2c3238;
    --one: #66bfa5; --two: #e39a5b; --three: #94a7e6; --four: #dc86a6; --good: #66bfa5; --bad: #ec7d70;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 8px; font-weight: 650; }
h2 { font-size: 18px; letter-spacing: -0.01em; margin: 0 0 2px; font-weight: 620; }
p { margin: 0; }
.lead { color: var(--soft); max-width: 80ch; margin-bottom: 20px; }
.note { color: var(--soft); font-size: 14px; margin-bottom: 14px; max-width: 92ch; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px 22px; margin-top: 14px;
  overflow-x: auto;
}
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
svg .strong { fill: var(--ink); font-weight: 600; }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg .one { stroke: var(--faint); stroke-width: 1.5; }
svg .bar { stroke: var(--ink); stroke-width: 2; }
table { border-collapse: collapse; font-size: 13.5px; width: 100%; }
td, th { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; }
tr:last-child td { border-bottom: 0; }
th { color: var(--soft); white-space: nowrap; }
td:first-child code { white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
.met { color: var(--good); font-weight: 600; white-space: nowrap; } .missed { color: var(--bad); font-weight: 600; white-space: nowrap; }
code { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); margin: 10px 0 0; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 6px; }
footer { color: var(--faint); font-size: 13px; margin-top: 22px; }
"#;

const COLOURS: [&str; 4] = ["var(--one)", "var(--two)", "var(--three)", "var(--four)"];

/// The colour of the `position`-th instruction set.
pub(super) fn colour(position: usize) -> &'static str {
    COLOURS[position % COLOURS.len()]
}
