/** The look of the pages for who runs the server, over the one that all pages share. */

import { css } from 'lit';
import { badges, base, buttons, cards, fields, notices, tables } from '../parts/styles.ts';

export const operate = [
  base,
  buttons,
  fields,
  cards,
  tables,
  badges,
  notices,
  css`
    .stack {
      display: grid;
      gap: 1.25rem;
      grid-template-columns: minmax(0, 1fr);
    }
    .who {
      display: flex;
      align-items: center;
      gap: 0.25rem 0.5rem;
      color: var(--faint);
      font-size: var(--text-small);
    }
    .who strong {
      color: var(--ink);
      font-weight: 600;
      overflow-wrap: anywhere;
    }
    .back {
      display: inline-flex;
      align-items: center;
      gap: 0.25rem;
      margin-bottom: 0.375rem;
      font-size: var(--text-small);
      text-decoration: none;
    }
    .back svg.icon {
      transform: rotate(180deg);
    }
    code.whole {
      overflow-wrap: anywhere;
    }
    dl.facts {
      display: grid;
      grid-template-columns: minmax(0, 11rem) minmax(0, 1fr);
    }
    dl.facts > * {
      padding: 0.5rem 0;
      border-bottom: 1px solid var(--line);
    }
    dl.facts > :nth-last-child(-n + 2) {
      border-bottom: 0;
    }
    dl.facts dt {
      color: var(--faint);
      font-size: var(--text-small);
      line-height: 1.75;
    }
    dl.facts dd {
      min-width: 0;
      overflow-wrap: anywhere;
    }
    .row {
      display: flex;
      align-items: center;
      flex-wrap: wrap;
      gap: 0.5rem;
    }
    .form {
      display: grid;
      gap: 1rem;
    }
    .pair {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
      gap: 1rem;
    }
    .busy {
      opacity: 0.55;
      transition: opacity 0.15s 0.15s;
    }
    .skeleton {
      display: grid;
      gap: 0.75rem;
      padding: 1.25rem;
    }
    .skeleton i {
      height: 1rem;
      border-radius: 6px;
      background: var(--sunken);
      animation: pulse 1.2s ease-in-out infinite alternate;
    }
    .skeleton i:nth-child(2) {
      width: 82%;
    }
    .skeleton i:nth-child(3) {
      width: 64%;
    }
    @keyframes pulse {
      to {
        opacity: 0.4;
      }
    }
    @media (max-width: 40rem) {
      dl.facts {
        grid-template-columns: 6rem minmax(0, 1fr);
      }
    }
    @media (max-width: 30rem) {
      .pair {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `,
];
