/** JSON exactly as it came, laid out by style alone: the text of what is shown is the text that was answered. */

import { css, html, type TemplateResult } from 'lit';

export const jsonStyles = css`
  .json .member {
    display: block;
    padding-left: 1.25rem;
  }
  .json .key {
    color: var(--accent);
  }
  .json .colon {
    padding-right: 0.4em;
  }
  .json .text {
    color: var(--live);
  }
  .json .figure,
  .json .word {
    color: var(--unsure);
  }
`;

/** One value or mark of JSON, with the white space before it. */
const token = /\s*(?:"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:])/y;

/** @returns the text, with spans around its parts; text that is no JSON as it is. */
export function showJson(text: string): TemplateResult {
  try {
    JSON.parse(text);
  } catch {
    return html`<span class="json">${text}</span>`;
  }
  const tokens: string[] = [];
  token.lastIndex = 0;
  let end = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    tokens.push(found[0]);
    end = token.lastIndex;
  }
  let next = 0;
  const take = () => tokens[next++] ?? '';
  const peek = () => tokens[next]?.trimStart() ?? '';

  function value(): TemplateResult {
    const first = peek();
    if (first === '{' || first === '[') return members(first === '{');
    const kind = first.startsWith('"') ? 'text' : /^[-\d]/.test(first) ? 'figure' : 'word';
    return html`<span class=${kind}>${take()}</span>`;
  }

  function members(isObject: boolean): TemplateResult {
    const open = take();
    const list: TemplateResult[] = [];
    while (!/^[}\]]$/.test(peek())) {
      const key = isObject
        ? html`<span class="key">${take()}</span><span class="colon">${take()}</span>`
        : '';
      const content = value();
      const comma = peek() === ',' ? take() : '';
      list.push(html`<span class="member">${key}${content}${comma}</span>`);
    }
    return html`${open}${list}${take()}`;
  }

  const shown = value();
  return html`<span class="json">${shown}${text.slice(end)}</span>`;
}
