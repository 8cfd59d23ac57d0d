/** The look that pages share: import what a page uses, and put `base` first. */

import { css } from 'lit';

/** What every element with a template has: boxes, headings, links, icons, and a focus that can be seen. */
export const base = css`
  :host {
    display: block;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  h1 {
    font-size: 1.625rem;
    line-height: 1.25;
    letter-spacing: -0.015em;
    font-weight: 650;
  }
  h2 {
    font-size: 1.0625rem;
    line-height: 1.4;
    letter-spacing: -0.005em;
    font-weight: 620;
  }
  h3 {
    font-size: var(--text);
    font-weight: 600;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.2em;
    text-decoration-thickness: 1px;
  }
  a:hover {
    color: var(--accent-hover);
  }
  code,
  kbd,
  pre {
    font-family: var(--mono);
    font-size: 0.8125rem;
  }
  svg.icon {
    width: 1.25em;
    height: 1.25em;
    flex: none;
    vertical-align: -0.25em;
  }
  :focus {
    outline: none;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .faint {
    color: var(--faint);
  }
  .small {
    font-size: var(--text-small);
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    ::before,
    ::after {
      animation-duration: 0.01ms !important;
      animation-iteration-count: 1 !important;
      transition: none !important;
    }
  }
`;

/** `button` and `a.button`; `.primary`, `.quiet`, `.danger`, `.icon-only`, `.compact`. */
export const buttons = css`
  button,
  a.button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5em;
    min-height: 2.375rem;
    padding: 0.375rem 0.875rem;
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
    background: var(--raised);
    color: var(--ink);
    box-shadow: var(--shadow);
    font: 550 var(--text) / 1.4 var(--font);
    text-decoration: none;
    white-space: nowrap;
    cursor: pointer;
    transition:
      background-color 0.12s,
      border-color 0.12s;
  }
  button:hover,
  a.button:hover {
    background: var(--hover);
    color: var(--ink);
  }
  button.primary,
  a.button.primary {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover,
  a.button.primary:hover {
    background: var(--accent-hover);
  }
  button.quiet,
  a.button.quiet {
    border-color: transparent;
    background: transparent;
    box-shadow: none;
    color: var(--soft);
  }
  button.quiet:hover,
  a.button.quiet:hover {
    background: var(--hover);
    color: var(--ink);
  }
  button.danger {
    color: var(--attack);
  }
  button.danger:hover {
    background: var(--attack-tint);
    color: var(--attack);
  }
  button.compact,
  a.button.compact {
    min-height: 2rem;
    padding: 0.25rem 0.625rem;
    font-size: var(--text-small);
  }
  button.icon-only {
    width: 2.375rem;
    padding: 0;
  }
  button.compact.icon-only {
    width: 2rem;
  }
  button:disabled,
  button[aria-disabled="true"] {
    opacity: 0.5;
    cursor: not-allowed;
  }
`;

/** `label.field` around a caption, an input, select or textarea, and a `.hint` or `.fault`; `.segments` around radios. */
export const fields = css`
  .field {
    display: grid;
    gap: 0.375rem;
    font-weight: 550;
    font-size: var(--text-small);
    color: var(--soft);
  }
  .field .hint,
  .field .fault {
    font-weight: 400;
  }
  .hint {
    color: var(--faint);
    font-size: var(--text-small);
  }
  .fault {
    color: var(--attack);
    font-size: var(--text-small);
  }
  input:not([type="radio"], [type="checkbox"], [type="file"]),
  select,
  textarea {
    width: 100%;
    min-width: 0;
    min-height: 2.375rem;
    padding: 0.375rem 0.75rem;
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-small);
    background: var(--raised);
    color: var(--ink);
    font: 400 var(--text) / 1.4 var(--font);
  }
  input::placeholder,
  textarea::placeholder {
    color: var(--faint);
    opacity: 1;
  }
  input:focus-visible,
  select:focus-visible,
  textarea:focus-visible {
    outline-offset: 0;
    border-color: var(--accent);
  }
  input[aria-invalid="true"] {
    border-color: var(--attack);
  }
  input[type="radio"],
  input[type="checkbox"] {
    accent-color: var(--accent);
  }
  .segments {
    display: inline-flex;
    gap: 2px;
    padding: 3px;
    border-radius: 10px;
    background: var(--sunken);
    box-shadow: inset 0 0 0 1px var(--line);
  }
  .segments label {
    position: relative;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    flex: 1;
    min-height: 2rem;
    padding: 0 0.75rem;
    border-radius: 7px;
    font-weight: 550;
    font-size: var(--text-small);
    color: var(--soft);
    white-space: nowrap;
    cursor: pointer;
  }
  .segments label:hover {
    color: var(--ink);
  }
  .segments input {
    position: absolute;
    inset: 0;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .segments label:has(:checked) {
    background: var(--raised);
    color: var(--ink);
    box-shadow:
      var(--shadow),
      0 0 0 1px var(--line);
  }
  .segments label:has(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
`;

/** `.card`, with a `.card-head` of a heading and what stands at its end; `.empty` for what is not there yet. */
export const cards = css`
  .card {
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    box-shadow: var(--shadow);
  }
  .card-head {
    display: flex;
    align-items: center;
    flex-wrap: wrap;
    gap: 0.5rem 1rem;
    min-height: 3.25rem;
    padding: 0.5rem 1.25rem;
    border-bottom: 1px solid var(--line);
  }
  .card-head > :first-child {
    margin-right: auto;
  }
  .card-body {
    padding: 1.25rem;
  }
  .page-head {
    display: flex;
    align-items: end;
    flex-wrap: wrap;
    gap: 1rem;
    margin-bottom: 1.5rem;
  }
  .page-head > :first-child {
    margin-right: auto;
  }
  .page-head p {
    margin-top: 0.25rem;
    color: var(--faint);
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: 0.5rem;
    padding: 3rem 1.5rem;
    color: var(--faint);
    text-align: center;
  }
  @media (max-width: 40rem) {
    .card-head {
      padding: 0.5rem 1rem;
    }
    .card-body {
      padding: 1rem;
    }
  }
`;

/** `table` inside a `.table-scroll` (give that `tabindex="0"` and a label); `.number` for cells of figures. */
export const tables = css`
  .table-scroll {
    overflow-x: auto;
    /* What is placed in it for screen readers alone scrolls with it, instead of widening the page. */
    position: relative;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: var(--text);
  }
  caption {
    text-align: left;
  }
  th,
  td {
    padding: 0.625rem 1.25rem;
    border-bottom: 1px solid var(--line);
    text-align: left;
    vertical-align: middle;
  }
  th {
    font-weight: 550;
    font-size: var(--text-small);
    color: var(--faint);
    white-space: nowrap;
  }
  td.number,
  th.number {
    text-align: right;
  }
  tbody tr:last-child > * {
    border-bottom: 0;
  }
  tbody tr:hover {
    background: color-mix(in srgb, var(--hover) 55%, transparent);
  }
  @media (max-width: 40rem) {
    th,
    td {
      padding: 0.5rem 1rem;
    }
  }
`;

/** `.badge`, with `.live`, `.attack`, `.unsure` or `.accent`. */
export const badges = css`
  .badge {
    display: inline-flex;
    align-items: center;
    gap: 0.3em;
    padding: 0.0625rem 0.5rem;
    border-radius: 99px;
    background: var(--sunken);
    color: var(--soft);
    font-weight: 600;
    font-size: 0.75rem;
    line-height: 1.6;
    white-space: nowrap;
  }
  .badge.live {
    background: var(--live-tint);
    color: var(--live);
  }
  .badge.attack {
    background: var(--attack-tint);
    color: var(--attack);
  }
  .badge.unsure {
    background: var(--unsure-tint);
    color: var(--unsure);
  }
  .badge.accent {
    background: var(--accent-tint);
    color: var(--accent);
  }
`;

/** `.notice`: an icon and a sentence on a tint; `.attack` for what failed, `.unsure` for what to look at, `.live` for done. */
export const notices = css`
  .notice {
    display: flex;
    gap: 0.75rem;
    padding: 0.75rem 1rem;
    border-radius: var(--radius-small);
    background: var(--sunken);
    color: var(--soft);
  }
  .notice > svg.icon {
    margin-top: 0.125rem;
  }
  .notice strong {
    display: block;
    font-weight: 600;
    color: var(--ink);
  }
  .notice.attack {
    background: var(--attack-tint);
  }
  .notice.attack > svg.icon {
    color: var(--attack);
  }
  .notice.unsure {
    background: var(--unsure-tint);
  }
  .notice.unsure > svg.icon {
    color: var(--unsure);
  }
  .notice.live {
    background: var(--live-tint);
  }
  .notice.live > svg.icon {
    color: var(--live);
  }
`;
