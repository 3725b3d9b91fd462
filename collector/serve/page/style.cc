#include "collector/serve/page/style.h"

#include "platform/crypto/crypto.h"

namespace kua::collector {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1a1c20; --soft: #575c66; --faint: #6d727c;
  --line: #e2ded4; --rule: #1a1c20; --link: #1f4f86; --note: #f3efe4;
  --ok: #17695f; --ok-bg: #e4f1ee; --impaired: #76590a; --impaired-bg: #f7efd4;
  --down: #4d4a80; --down-bg: #ebeaf5; --likely: #9a4a00; --likely-bg: #fbe9d7;
  --blocked: #a51d1d; --blocked-bg: #fbe4e1; --unknown: #5c616b; --unknown-bg: #eeece6;
  --serif: Charter, "Bitstream Charter", "Source Serif 4", "Noto Serif", Cambria, Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131519; --card: #1a1d22; --ink: #e9e7e1; --soft: #b2b5bb; --faint: #989ca4;
    --line: #31353c; --rule: #e9e7e1; --link: #8fbcec; --note: #22252b;
    --ok: #7fd0c3; --ok-bg: #17312e; --impaired: #e4c65e; --impaired-bg: #332b12;
    --down: #b8b4ee; --down-bg: #29284a; --likely: #f5a865; --likely-bg: #3a2512;
    --blocked: #ff938a; --blocked-bg: #431a1a; --unknown: #b2b5bb; --unknown-bg: #2a2d33;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 var(--sans); font-variant-numeric: tabular-nums; }
.wrap { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
h1, h2, h3 { font-family: var(--serif); line-height: 1.2; font-weight: 700; text-wrap: balance; }
time { white-space: nowrap; }
.mast { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; justify-content: space-between;
  padding: 1.1rem 0 .6rem; border-bottom: 3px double var(--rule); }
.brand { font: 700 1.7rem/1 var(--serif); letter-spacing: .01em; }
.brand small { font: italic 400 .95rem/1 var(--serif); color: var(--soft); margin-left: .6rem; letter-spacing: 0; }
.stamp { color: var(--soft); font-size: .875rem; }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.35rem); margin: 1.6rem 0 .5rem; max-width: 34ch; }
.lead { font-size: 1.05rem; color: var(--soft); max-width: 62ch; margin: 0 0 1.25rem; }
.notice { border-left: 4px solid var(--impaired); background: var(--impaired-bg); padding: .7rem 1rem; margin: 1.25rem 0; }
.notice strong { color: var(--impaired); }
.toc { display: flex; flex-wrap: wrap; gap: .4rem 1.25rem; padding: 0; margin: 0 0 .5rem; list-style: none; font-size: .95rem; }
.country { margin: 2.4rem 0 0; }
.country > h2 { font-size: 1.5rem; margin: 0; padding-top: .7rem; border-top: 1px solid var(--rule); }
.country > p { margin: .35rem 0 0; color: var(--soft); max-width: 66ch; }
.state { display: inline-flex; align-items: center; gap: .4em; font-weight: 600; white-space: nowrap; }
.state svg, .tally svg { width: 1.05em; height: 1.05em; flex: none; }
.s-ok { color: var(--ok); } .s-impaired { color: var(--impaired); } .s-down { color: var(--down); }
.s-likely { color: var(--likely); } .s-blocked { color: var(--blocked); } .s-unknown { color: var(--unknown); }
.none { color: var(--faint); }
.scroll { overflow-x: auto; margin: 1rem 0 0; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding: 0 0 .4rem; }
th { text-align: left; font-weight: 600; }
thead th { font-size: .8rem; color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--ink); padding: .25rem .9rem .35rem 0; vertical-align: bottom; }
thead th small { display: block; font-weight: 400; font-size: .95em; }
tbody th, td { padding: .5rem .9rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
tbody th small, td small { display: block; font-weight: 400; color: var(--faint); font-size: .82rem; line-height: 1.35; }
.matrix td { white-space: nowrap; }
.net { background: var(--card); border: 1px solid var(--line); border-radius: 4px; margin: 1.1rem 0 0; padding: .95rem 1.1rem 1.05rem; }
.net header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .15rem 1rem; }
.net h3 { font-size: 1.12rem; margin: 0; }
.net h3 span { font: 400 .95rem/1 var(--sans); color: var(--soft); margin-left: .45rem; }
.line { font-size: .875rem; color: var(--soft); }
.line.bad { color: var(--blocked); font-weight: 600; }
.bar { display: flex; height: .5rem; gap: 2px; margin: .7rem 0 .45rem; }
.g1 { flex: 1; } .g2 { flex: 2; } .g3 { flex: 3; } .g4 { flex: 4; } .g5 { flex: 5; } .g6 { flex: 6; } .g7 {
flex: 7; } .g8 { flex: 8; } .g9 { flex: 9; } .g10 { flex: 10; } .g11 { flex: 11; } .g12 { flex: 12; } .g13 {
flex: 13; } .g14 { flex: 14; } .g15 { flex: 15; } .g16 { flex: 16; } .g17 { flex: 17; } .g18 { flex: 18; }
.g19 { flex: 19; } .g20 { flex: 20; }
.bar i { display: block; border-radius: 1px; min-width: 4px; background: currentColor; }
.tally { display: flex; flex-wrap: wrap; gap: .2rem 1.15rem; margin: 0; padding: 0; list-style: none; font-size: .9rem; }
.tally li { display: inline-flex; align-items: center; gap: .4em; }
.net table { margin-top: .8rem; }
.net tbody tr:last-child th, .net tbody tr:last-child td { border-bottom: 0; padding-bottom: .1rem; }
.rows { table-layout: fixed; }
.w-target { width: 31%; } .w-state { width: 37%; } .w-since { width: 18%; }
.rows td:last-child, .rows th:last-child { padding-right: 0; }
.matrix th:first-child { min-width: 11rem; }
details { margin-top: .8rem; border-top: 1px solid var(--line); padding-top: .65rem; }
summary { cursor: pointer; font-size: .92rem; font-weight: 600; }
summary span { color: var(--soft); font-weight: 400; }
.quiet { margin: .5rem 0 0; color: var(--soft); max-width: 62ch; }
.country > p.others { margin: 1rem 0 0; padding: .75rem 1.1rem; background: var(--note); border-radius: 4px; color: var(--soft); font-size: .92rem; max-width: none; }
.words { margin: 2.8rem 0 0; border-top: 1px solid var(--rule); padding-top: .7rem; }
.words h2 { font-size: 1.25rem; margin: 0 0 .6rem; }
.words dl { display: grid; grid-template-columns: max-content 1fr; gap: .55rem 1.4rem; margin: 0 0 1.4rem; max-width: 60rem; }
.words dt { font-size: .94rem; } .words dd { margin: 0; color: var(--soft); font-size: .94rem; }
.method { columns: 2; column-gap: 2.5rem; color: var(--soft); font-size: .94rem; }
.method p { margin: 0 0 .8rem; break-inside: avoid; } .method strong { color: var(--ink); }
footer { margin: 2.6rem 0 0; border-top: 3px double var(--rule); padding: .9rem 0 2.2rem; color: var(--soft); font-size: .875rem; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 44rem) {
  .wrap { padding: 0 1rem; }
  .brand small { display: block; margin: .35rem 0 0; }
  .net { margin-left: -.35rem; margin-right: -.35rem; padding: .8rem .85rem .9rem; }
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows, .rows tbody { display: block; }
  .matrix thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .matrix, .matrix tbody, .matrix caption { display: block; }
  .matrix tr { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; padding: .5rem 0 .55rem; border-bottom: 1px solid var(--line); }
  .matrix tr:first-child { border-top: 1px solid var(--ink); }
  .matrix th, .matrix td { display: block; border: 0; padding: 0; font-size: .9rem; }
  .matrix tbody th { flex: 1 0 100%; } .matrix tbody th small { display: inline; margin-left: .5em; }
  .matrix td::before { content: attr(data-network); color: var(--soft); margin-right: .4em; font-size: .82rem; }
  .rows tr { display: grid; grid-template-columns: 1fr auto; gap: .1rem .8rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .rows tr:last-child { border-bottom: 0; padding-bottom: 0; }
  .rows th, .rows td { display: block; border: 0; padding: 0; width: auto; }
  .rows th, .rows td.c-state { grid-column: 1 / -1; }
  .rows tbody th { font-size: 1.02rem; } .rows tbody th small { display: inline; margin-left: .5em; }
  .rows td.c-since, .rows td.c-witnesses { font-size: .86rem; color: var(--soft); }
  .rows td.c-since small, .rows td.c-witnesses small { display: inline; }
  .rows td.c-witnesses { text-align: right; }
  .words dl { grid-template-columns: 1fr; gap: .1rem; } .words dd { margin-bottom: .7rem; }
  .method { columns: 1; }
}
@media print {
  :root { --paper: #fff; --card: #fff; } body { font-size: 10pt; }
  .net { break-inside: avoid; } details > *:not(summary) { display: block; }
}
)css";

constexpr std::string_view kSymbols =
    R"svg(<svg class="hidden" aria-hidden="true" focusable="false">)svg"
    R"svg(<symbol id="s-ok" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" stroke-width="1.6"/>)svg"
    R"svg(<path d="M4.6 8.3l2.4 2.4 4.5-5" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></symbol>)svg"
    R"svg(<symbol id="s-impaired" viewBox="0 0 16 16"><path d="M8 1.4L15.2 14H.8z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/>)svg"
    R"svg(<path d="M8 6v4M8 12v.2" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></symbol>)svg"
    R"svg(<symbol id="s-down" viewBox="0 0 16 16"><rect x="1.2" y="1.2" width="13.6" height="13.6" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.6"/>)svg"
    R"svg(<path d="M8 4.2v7M5 8.4l3 3 3-3" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></symbol>)svg"
    R"svg(<symbol id="s-likely" viewBox="0 0 16 16"><path d="M5.1.9h5.8l4.2 4.2v5.8l-4.2 4.2H5.1L.9 10.9V5.1z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/>)svg"
    R"svg(<path d="M4.6 8h6.8" stroke="currentColor" stroke-width="2.2"/></symbol>)svg"
    R"svg(<symbol id="s-blocked" viewBox="0 0 16 16"><path fill-rule="evenodd" d="M4.8.2h6.4l4.6 4.6v6.4l-4.6 4.6H4.8L.2 11.2V4.8zM3.6 6.8v2.4h8.8V6.8z" fill="currentColor"/></symbol>)svg"
    R"svg(<symbol id="s-unknown" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 1.8"/>)svg"
    R"svg(<path d="M6 6.3a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3M8 11.7v.1" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/></symbol></svg>)svg";

}  // namespace

std::string_view style_sheet() noexcept { return kStyle; }
std::string_view state_symbols() noexcept { return kSymbols; }

std::string_view icon_url() noexcept {
  return "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
         "%3Ccircle cx='8' cy='8' r='7' fill='%231f4f86'/%3E%3Ccircle cx='8' cy='8' r='2.6' "
         "fill='%23fff'/%3E%3C/svg%3E";
}

const std::string& content_security_policy() {
  static const std::string policy = [] {
    const platform::Digest digest = platform::sha256(kStyle);
    const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
    return "default-src 'none'; style-src 'sha256-" + platform::to_base64(bytes) +
           "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  }();
  return policy;
}

}  // namespace kua::collector
