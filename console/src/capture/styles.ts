/** The element's looks. Sites change them by the custom properties that `:host` reads. */

import { css } from 'lit';

export const styles = css`
  :host {
    --accent: var(--bonafide-accent, light-dark(#0f766e, #2dd4bf));
    --on-accent: var(--bonafide-on-accent, light-dark(#ffffff, #06201d));
    --surface: var(--bonafide-surface, light-dark(#ffffff, #191d20));
    --ink: var(--bonafide-ink, light-dark(#16191b, #eef1f2));
    --faint: var(--bonafide-faint, light-dark(#59646a, #a3adb2));
    --line: var(--bonafide-line, light-dark(#d9dedf, #30373b));
    --radius: var(--bonafide-radius, 14px);
    display: block;
    box-sizing: border-box;
    width: 100%;
    max-width: 26rem;
    margin-inline: auto;
    color: var(--ink);
    font-family: var(--bonafide-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans KR", "Apple SD Gothic Neo", sans-serif);
    font-size: 1rem;
    line-height: 1.45;
  }

  :host([hidden]) {
    display: none;
  }

  * {
    box-sizing: border-box;
  }

  .stage {
    position: relative;
    overflow: hidden;
    aspect-ratio: 3 / 4;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    outline-offset: 3px;
  }

  .stage.lit {
    border-color: #0b0e10;
    background: #0b0e10;
  }

  video,
  canvas,
  .oval {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
  }

  video,
  canvas {
    object-fit: cover;
    /* A mirror: who moves to the right sees themselves move to the right. */
    transform: scaleX(-1);
  }

  .scrim {
    fill: #0b0e10;
    fill-opacity: 0.5;
  }

  .rim,
  .progress {
    fill: none;
    stroke: #ffffff;
    stroke-opacity: 0.85;
    /* Of 75 to the width. */
    stroke-width: 0.5;
  }

  .progress {
    stroke: #34d399;
    stroke-opacity: 1;
    stroke-width: 1.4;
    stroke-linecap: round;
    transition: stroke-dashoffset 150ms linear;
  }

  .words {
    position: absolute;
    inset-inline: 0.75rem;
    top: 0.75rem;
    display: flex;
    justify-content: center;
  }

  .words span {
    display: inline-flex;
    align-items: center;
    gap: 0.5rem;
    padding: 0.45rem 1rem;
    border-radius: 1.4rem;
    background: rgb(11 14 16 / 0.82);
    color: #ffffff;
    font-weight: 600;
    text-align: center;
    text-wrap: balance;
    /* Korean breaks between words. */
    word-break: keep-all;
  }

  .words svg {
    flex: none;
    width: 1.25rem;
    height: 1.25rem;
    fill: none;
    stroke: #34d399;
    stroke-width: 3;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .notice {
    position: absolute;
    inset: 0;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    padding: 1.5rem;
    text-align: center;
    text-wrap: balance;
    word-break: keep-all;
  }

  .notice svg {
    width: 4.5rem;
    height: 4.5rem;
    margin-bottom: 0.75rem;
    fill: none;
    stroke: var(--accent);
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .notice.wrong svg {
    stroke: var(--faint);
  }

  .notice strong {
    font-size: 1.15rem;
    font-weight: 650;
  }

  .notice span {
    color: var(--faint);
  }

  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6rem;
    min-height: 2.9rem;
    margin-top: 0.75rem;
  }

  button {
    flex: 1 1 8rem;
    min-height: 2.9rem;
    padding: 0.5rem 1rem;
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) * 0.7);
    background: var(--surface);
    color: var(--ink);
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }

  button.main {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }

  button:hover {
    border-color: var(--ink);
  }

  button.main:hover {
    border-color: var(--accent);
    background: color-mix(in srgb, var(--accent) 88%, var(--ink));
  }

  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 3px;
  }

  .spinner {
    flex: none;
    width: 2.25rem;
    height: 2.25rem;
    margin-bottom: 0.75rem;
    border: 3px solid var(--line);
    border-top-color: var(--accent);
    border-radius: 50%;
    animation: turn 900ms linear infinite;
  }

  .words .spinner {
    width: 1.1rem;
    height: 1.1rem;
    margin: 0;
    border-width: 2px;
    border-color: rgb(255 255 255 / 0.25);
    border-top-color: #ffffff;
  }

  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }

  .spoken {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: reduce) {
    .progress {
      transition: none;
    }

    .spinner {
      animation-duration: 6s;
    }
  }
`;
