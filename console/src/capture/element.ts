/** `<bonafide-capture>`: takes a photograph of a face, with guidance, on any site. */

import { html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { CameraError, type CameraFault, closeCamera, openCamera, watchCamera } from './camera.ts';
import type { Finder } from './finder.ts';
import { Guide, type Instruction } from './guidance.ts';
import { Darkroom, type Photograph } from './photograph.ts';
import { type CaptureError, type CaptureResponse, post } from './post.ts';
import { styles } from './styles.ts';
import { type Language, languageOf, type Notice, type Texts, texts } from './texts.ts';

export type { CaptureError, CaptureResponse };

/** What the event `bonafide-capture` tells, once for each photograph and again for each time it is sent again. */
export interface CaptureDetail extends Photograph {
  /** Where there is an `endpoint` and it has answered, whatever it said. */
  readonly response?: CaptureResponse;
  /** Where there is one and no answer came of it. */
  readonly error?: CaptureError;
}

declare global {
  interface HTMLElementTagNameMap {
    'bonafide-capture': BonafideCapture;
  }
  interface HTMLElementEventMap {
    'bonafide-capture': CustomEvent<CaptureDetail>;
  }
}

/** Also the attribute `state`, for styles and tests. */
export type CaptureState =
  | 'idle'
  | 'asking'
  | CameraFault
  | 'loading'
  | 'looking'
  | 'manual'
  | 'sending'
  | 'done'
  | 'failed';

/** Width by height of the stage. */
const shape = 3 / 4;
/** Frames are looked at no more often than this. */
const frameMs = 100;
/** For so long the face finder is waited for before the button takes its place. */
const finderMs = 8_000;
/** A camera that shows nothing new for so long is lost. */
const frozenMs = 5_000;
/** What is said aloud changes no more often than this. */
const spokenMs = 2_000;

/**
 * @attr endpoint - address that the JPEG is posted to; without it nothing is posted.
 * @attr lang - `en` or `ko`; without it the page's, else the browser's.
 * @fires bonafide-capture - a photograph was taken, and sent where it is to be; `detail` is a `CaptureDetail`.
 */
export class BonafideCapture extends LitElement {
  static override styles = styles;
  static override properties = {
    endpoint: { type: String },
    headers: { attribute: false },
    state: { reflect: true },
    instruction: { state: true },
    progress: { state: true },
    spoken: { state: true },
  };

  declare endpoint: string | undefined;
  /** Sent with the photograph, beside its Content-Type. */
  declare headers: Readonly<Record<string, string>>;
  /** Where it stands; not to be set. */
  declare state: CaptureState;
  declare private instruction: Instruction;
  declare private progress: number;
  declare private spoken: string;

  #session: Session | undefined;
  #photograph: Photograph | undefined;
  /** The same to be looked at: an address of it would have to be allowed by the page's policy, and outlive its loading. */
  #picture: HTMLCanvasElement | undefined;
  /** What the server last said, where it did not take the photograph. */
  #refusal: number | undefined;
  #spokenAt = 0;
  #hadFocus = false;
  #speaking: ReturnType<typeof setTimeout> | undefined;
  readonly #languages = new MutationObserver(() => this.requestUpdate());

  constructor() {
    super();
    this.endpoint = undefined;
    this.headers = {};
    this.state = 'idle';
    this.instruction = 'show';
    this.progress = 0;
    this.spoken = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#onVisibility);
    this.#languages.observe(this, { attributeFilter: ['lang'] });
    this.#languages.observe(document.documentElement, { attributeFilter: ['lang'] });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#languages.disconnect();
    clearTimeout(this.#speaking);
    this.#speaking = undefined;
    this.stop();
  }

  /** Opens the camera, as its button does. */
  async start(): Promise<void> {
    const session = this.#begin();
    this.#forget();
    this.state = 'asking';
    try {
      session.take(await openCamera());
      if (session.isOver) return;
      if (document.hidden) return this.stop();
      watchCamera(session.stream as MediaStream, () => this.#fail(session, 'busy'));
      this.state = 'loading';
      await this.updateComplete;
      await this.#show(session);
    } catch (error) {
      this.#fail(session, error instanceof CameraError ? error.fault : 'busy');
    }
  }

  /** Switches the camera off and forgets the photograph. */
  stop(): void {
    this.#end();
    this.#forget();
    this.state = 'idle';
  }

  readonly #onVisibility = () => {
    // Nobody who looks elsewhere expects to be filmed. What is being sent goes on.
    if (document.hidden && this.#session?.stream !== undefined) this.stop();
  };

  /** Runs the preview, and looks at it until there is a photograph. */
  async #show(session: Session): Promise<void> {
    const video = this.renderRoot.querySelector('video') as HTMLVideoElement;
    video.srcObject = session.stream ?? null;
    await video.play();
    if (session.isOver) return;
    const manual = setTimeout(() => this.#resort(session), finderMs);
    session.onEnd(() => clearTimeout(manual));
    loadFinderOnce()
      .then((finder) => {
        clearTimeout(manual);
        if (!session.isOver) this.#look(session, video, finder);
      })
      .catch(() => this.#resort(session));
    this.#watchFrames(session, video);
  }

  /** Looks at one frame after another, and ends with the best of the good ones. */
  #look(session: Session, video: HTMLVideoElement, finder: Finder): void {
    const guide = new Guide();
    const darkroom = new Darkroom(shape);
    this.instruction = 'show';
    this.state = 'looking';
    const look = () => {
      if (session.isOver) return;
      const started = performance.now();
      try {
        // Hidden by the page: nobody sees that they are filmed.
        if (this.getClientRects().length === 0) return this.stop();
        if (video.readyState >= video.HAVE_CURRENT_DATA) {
          darkroom.take(video);
          const { instruction, progress, score } = guide.next(darkroom.look(finder, started));
          if (score === undefined) darkroom.forget();
          else darkroom.keep(score);
          this.instruction = instruction;
          this.progress = progress;
          if (progress >= 1) return void this.#finish(darkroom);
        }
      } catch {
        forgetFinder();
        return this.#resort(session);
      }
      session.after(Math.max(frameMs - (performance.now() - started), 0), look);
    };
    look();
  }

  /** The face finder is of no use: the person takes the picture. */
  #resort(session: Session): void {
    if (session.isOver) return;
    this.progress = 0;
    this.state = 'manual';
  }

  /** Ends the session of a camera that has stopped to show anything new. */
  #watchFrames(session: Session, video: HTMLVideoElement): void {
    let [last, since] = [-1, performance.now()];
    const watch = () => {
      if (video.currentTime !== last) [last, since] = [video.currentTime, performance.now()];
      else if (performance.now() - since > frozenMs) return this.#fail(session, 'busy');
      session.after(1_000, watch);
    };
    watch();
  }

  readonly #press = () => {
    const video = this.renderRoot.querySelector('video');
    if (this.#session === undefined || video === null || video.readyState < video.HAVE_CURRENT_DATA) return;
    const darkroom = new Darkroom(shape);
    darkroom.take(video);
    darkroom.keep(0);
    void this.#finish(darkroom);
  };

  /** Switches the camera off, and hands the picture out. */
  async #finish(darkroom: Darkroom): Promise<void> {
    const session = this.#begin();
    try {
      const photograph = await darkroom.develop();
      if (session.isOver) return;
      this.#photograph = photograph;
      this.#picture = darkroom.kept;
      await this.#deliver(photograph, session);
    } catch {
      this.#fail(session, 'busy');
    }
  }

  async #deliver(photograph: Photograph, session: Session): Promise<void> {
    this.#refusal = undefined;
    if (this.endpoint === undefined) {
      this.#end();
      this.state = 'done';
      this.#tell(photograph);
      return;
    }
    this.state = 'sending';
    let outcome: Awaited<ReturnType<typeof post>>;
    try {
      outcome = await post(this.endpoint, this.headers, photograph.image, session.signal);
    } catch {
      // Stopped, or taken out of the page.
      return;
    }
    this.#end();
    const status = 'response' in outcome ? outcome.response.status : undefined;
    if (status !== undefined && status >= 300) this.#refusal = status;
    this.state = status !== undefined && status < 300 ? 'done' : 'failed';
    this.#tell({ ...photograph, ...outcome });
  }

  #tell(detail: CaptureDetail): void {
    this.dispatchEvent(new CustomEvent('bonafide-capture', { detail, bubbles: true, composed: true }));
  }

  #fail(session: Session, fault: CameraFault): void {
    if (session.isOver) return;
    this.#end();
    this.state = fault;
  }

  /** Something new is under way, and nothing else. */
  #begin(): Session {
    this.#end();
    this.#session = new Session();
    return this.#session;
  }

  /** Ends what is under way. */
  #end(): void {
    this.#session?.end();
    this.#session = undefined;
    this.progress = 0;
  }

  #forget(): void {
    this.#picture = undefined;
    this.#photograph = undefined;
    this.#refusal = undefined;
  }

  protected override willUpdate(): void {
    this.#hadFocus = (this.renderRoot as ShadowRoot).activeElement !== null;
    const { title, words } = this.#said(texts[languageOf(this)]);
    this.#speak([title, words].filter((part) => part !== undefined).join('. '));
  }

  protected override updated(): void {
    // The button that had the focus may have gone with its state: it stays in the element, and on no other button, which
    // somebody who presses twice would press.
    const root = this.renderRoot as ShadowRoot;
    if (this.#hadFocus && root.activeElement === null) root.querySelector<HTMLElement>('.stage')?.focus();
  }

  /** Says it aloud, at once or when what was said before has had its time. */
  #speak(words: string): void {
    clearTimeout(this.#speaking);
    if (words === this.spoken) return;
    const wait = this.#spokenAt + spokenMs - performance.now();
    const say = () => {
      this.#spokenAt = performance.now();
      this.spoken = words;
    };
    if (wait <= 0 || this.state !== 'looking') say();
    else this.#speaking = setTimeout(say, wait);
  }

  /** What the stage shows in words: a notice, or a line over the picture. */
  #said(t: Texts): { title?: string; words?: string; notice?: Notice } {
    switch (this.state) {
      case 'idle':
        return { title: t.idle.title, words: t.idle.advice, notice: t.idle };
      case 'asking':
        return { title: t.asking.title, words: t.asking.advice, notice: t.asking };
      case 'denied':
      case 'missing':
      case 'busy':
      case 'insecure': {
        const notice = t.faults[this.state];
        return { title: notice.title, words: notice.advice, notice };
      }
      case 'loading':
        return { words: t.loading };
      case 'looking':
        return { words: t.instructions[this.instruction] };
      case 'manual':
        return { words: t.manual };
      case 'sending':
        return { words: t.sending };
      case 'done':
        return { words: t.done };
      case 'failed':
        return { words: this.#refusal === undefined ? t.failed : t.refused(this.#refusal) };
    }
  }

  protected override render(): TemplateResult {
    const language: Language = languageOf(this);
    const t = texts[language];
    const { notice, words } = this.#said(t);
    const isLive = ['loading', 'looking', 'manual'].includes(this.state);
    const isWrong = ['denied', 'missing', 'busy', 'insecure'].includes(this.state);
    return html`
      <div role="group" aria-label=${t.name} lang=${language}>
        <div class="stage ${notice === undefined ? 'lit' : ''}" tabindex="-1">
          ${isLive ? html`<video aria-label=${t.preview} autoplay muted playsinline></video>` : nothing}
          ${this.#picture === undefined ? nothing : html`<div role="img" aria-label=${t.taken}>${this.#picture}</div>`}
          ${isLive ? this.#oval() : nothing}
          ${notice === undefined ? this.#line(words ?? '') : this.#notice(notice, isWrong)}
        </div>
        <div class="actions">${keyed(this.state, this.#actions(t))}</div>
        <div class="spoken" role="status" aria-live="polite">${this.spoken}</div>
      </div>
    `;
  }

  /** What is said aloud stands below, in its own time; this is for the eyes. */
  #line(words: string): TemplateResult {
    const sign =
      this.state === 'sending' ? html`<i class="spinner"></i>` : this.state === 'done' ? check : nothing;
    return html`<div class="words" aria-hidden="true"><span>${sign}${words}</span></div>`;
  }

  #notice({ title, advice }: Notice, isWrong: boolean): TemplateResult {
    return html`
      <div class="notice ${isWrong ? 'wrong' : ''}">
        ${this.state === 'asking' ? html`<div class="spinner"></div>` : isWrong ? noCamera : portrait}
        <strong>${title}</strong>
        <span>${advice}</span>
      </div>
    `;
  }

  /** In units of which the stage has 75 by 100. */
  #oval(): TemplateResult {
    // From the top, clockwise, so that it can fill up.
    const oval = 'M37.5 19.5 a23.25 30 0 0 1 0 60 a23.25 30 0 0 1 0 -60 z';
    return html`
      <svg class="oval" viewBox="0 0 75 100" preserveAspectRatio="none" aria-hidden="true">
        <path class="scrim" fill-rule="evenodd" d="M0 0 h75 v100 h-75 z ${oval}" />
        <path class="rim" d=${oval} />
        ${
          this.progress > 0
            ? svg`<path class="progress" d=${oval} pathLength="1" stroke-dasharray="1" stroke-dashoffset=${1 - this.progress} />`
            : nothing
        }
      </svg>
    `;
  }

  #actions(t: Texts): TemplateResult | typeof nothing {
    const button = (words: string, isMain: boolean, press: () => void) =>
      html`<button type="button" class=${isMain ? 'main' : ''} @click=${press}>${words}</button>`;
    const start = () => void this.start();
    switch (this.state) {
      case 'idle':
        return button(t.start, true, start);
      case 'asking':
      case 'insecure':
      case 'sending':
        return nothing;
      case 'denied':
      case 'missing':
      case 'busy':
        return button(t.retry, true, start);
      case 'loading':
      case 'looking':
        return button(t.shutter, false, this.#press);
      case 'manual':
        return button(t.take, true, this.#press);
      case 'done':
        return button(t.again, false, start);
      case 'failed':
        return html`
          ${button(t.resend, true, () => {
            if (this.#photograph !== undefined) void this.#deliver(this.#photograph, this.#begin());
          })}
          ${button(t.again, false, start)}
        `;
    }
  }
}

/** From asking for the camera to its end, or from sending to the answer. */
class Session {
  readonly #controller = new AbortController();
  stream: MediaStream | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.signal.aborted;
  }

  /** Keeps the stream until the end, which may be over already. */
  take(stream: MediaStream): void {
    this.stream = stream;
    if (this.isOver) closeCamera(stream);
    else this.onEnd(() => closeCamera(stream));
  }

  onEnd(clean: () => void): void {
    this.signal.addEventListener('abort', clean, { once: true });
  }

  after(ms: number, act: () => void): void {
    setTimeout(() => {
      if (!this.isOver) act();
    }, ms);
  }

  end(): void {
    this.#controller.abort();
  }
}

/** One finder serves all elements of a page, one picture after another; loading it takes longer than any session should wait twice. */
let loading: Promise<Finder> | undefined;

function loadFinderOnce(): Promise<Finder> {
  loading ??= import('./finder.ts')
    .then(({ loadFinder }) => loadFinder())
    .catch((error) => {
      forgetFinder();
      throw error;
    });
  return loading;
}

/** The next session loads another. */
function forgetFinder(): void {
  loading = undefined;
}

const portrait = html`
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3" />
    <ellipse cx="12" cy="12" rx="4.2" ry="5.4" />
    <path d="M10.3 10.8v.4M13.7 10.8v.4M10.5 14.2c.9.7 2.1.7 3 0" />
  </svg>
`;

const check = html`
  <svg viewBox="0 0 24 24"><path d="M5 12.5l4.5 4.5L19 7.5" /></svg>
`;

const noCamera = html`
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3 3l18 18M8.2 5.2 9 4h6l1.5 2.5H20a1.5 1.5 0 0 1 1.5 1.5v9.5M18.5 19.5H4A1.5 1.5 0 0 1 2.5 18V8A1.5 1.5 0 0 1 4 6.5h1.5" />
    <path d="M9.4 10.4a4 4 0 0 0 5.6 5.6" />
  </svg>
`;

// A page may load it under two addresses.
if (customElements.get('bonafide-capture') === undefined) {
  customElements.define('bonafide-capture', BonafideCapture);
}
