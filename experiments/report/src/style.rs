//! The page's style sheet. Colours are custom properties, given once for light and once for dark.

pub(super) const STYLE: &str = r#"
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --card: #ffffff; --ink: #1d2126; --soft: #5d656e; --faint: #8b939b; --line: #e4e1da;
  --one: #2f6f5e; --two: #c2702c; --three: #5a6fb0; --four: #a04668; --five: #8a8f2f;
  --good: #2f6f5e; --bad: #b3382c; --heat: 47, 111, 94; --wrong: 179, 56, 44;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1b1f23; --ink: #e9e7e2; --soft: #a4abb2; --faint: #77808a; --line: #2c3238;
    --one: #66bfa5; --two: #e39a5b; --three: #94a7e6; --four: #dc86a6; --five: #c4c96a;
    --good: #66bfa5; --bad: #ec7d70; --heat: 102, 191, 165; --wrong: 236, 125, 112;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
header { margin-bottom: 28px; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 8px; font-weight: 650; }
h2 { font-size: 18px; letter-spacing: -0.01em; margin: 0 0 2px; font-weight: 620; }
p { margin: 0; }
.lead { color: var(--soft); max-width: 74ch; }
.note { color: var(--soft); font-size: 14px; margin-bottom: 14px; max-width: 90ch; }
.verdict {
  display: inline-flex; gap: 8px; align-items: center; margin-bottom: 14px; padding: 3px 12px 3px 10px;
  border-radius: 999px; font-size: 13.5px; font-weight: 600; border: 1px solid currentColor;
}
.good { color: var(--good); } .bad { color: var(--bad); }
.alarm {
  background: var(--bad); color: var(--ground); border-radius: 10px; padding: 10px 16px; margin-bottom: 18px; font-weight: 600;
}
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); gap: 10px; margin-bottom: 14px; }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { padding: 13px 13px 12px; }
.tile b { display: block; font-size: 25px; line-height: 1.2; letter-spacing: -0.02em; font-weight: 640; white-space: nowrap; }
.tile b small { font-size: 15px; font-weight: 560; letter-spacing: 0; }
.tile span { color: var(--soft); font-size: 13px; line-height: 1.35; display: block; }
section { padding: 20px 22px 22px; margin-top: 14px; overflow-x: auto; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; }
.pair > * { min-width: 0; }
@media (max-width: 860px) { .pair { grid-template-columns: 1fr; } }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
svg .strong { fill: var(--ink); font-weight: 600; }
svg .faint { fill: var(--faint); font-size: 11px; }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg .rule { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 3 4; }
table { border-collapse: collapse; font-size: 14px; width: 100%; }
td, th { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; }
tr:last-child td, tr:last-child th { border-bottom: 0; }
th { color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
sup { line-height: 0; }
code { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: 10px; }
.digits figure { margin: 0; }
.digits img { width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 6px; display: block; background: #000; }
.digits figcaption { font-size: 12.5px; line-height: 1.3; color: var(--soft); padding-top: 4px; }
.digits figcaption b { color: var(--bad); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); margin: 10px 0 0; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; }
footer { color: var(--faint); font-size: 13px; margin-top: 22px; }
"#;

/// Colour of an operation, by its verb: the same in every figure.
pub(super) fn colour(verb: &str) -> &'static str {
    match verb {
        "linear" => "var(--one)",
        "square" | "mul" | "refresh" => "var(--two)",
        "relinearize" | "relinearize_rescale" => "var(--three)",
        "rescale" | "drop_level" => "var(--four)",
        _ => "var(--five)",
    }
}
