/** Runs in a page before anything else: notes what `<bonafide-capture>` says and does there, and does what tests ask of it. */

{
  const noted = { said: [], spoken: [], events: [] };
  const streams = [];
  const element = () => document.querySelector('bonafide-capture');
  const note = (list, text) => {
    if (list.at(-1) !== text) list.push(text);
  };
  setInterval(() => {
    const root = element()?.shadowRoot;
    if (!root) return;
    note(noted.said, `${element().state}: ${root.querySelector('.words')?.textContent.trim() ?? ''}`);
    note(noted.spoken, root.querySelector('.spoken')?.textContent ?? '');
  }, 20);
  addEventListener('bonafide-capture', async ({ detail: { image, ...detail } }) => {
    const bytes = new Uint8Array(await image.arrayBuffer());
    const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    noted.events.push({ ...detail, type: image.type, image: btoa(binary) });
  });
  // Empty pages have no cameras.
  const devices = navigator.mediaDevices;
  const open = devices?.getUserMedia.bind(devices);
  if (open !== undefined) {
    devices.getUserMedia = async (wishes) => {
      const stream = await open(wishes);
      streams.push(stream);
      return stream;
    };
  }
  const tracks = () => streams.flatMap((stream) => stream.getTracks());

  /** Looks every 20 ms, and gives up after 30 s. */
  const until = async (holds, what) => {
    for (const end = performance.now() + 30_000; !holds(); ) {
      if (performance.now() > end) throw new Error(`${what} did not come; ${JSON.stringify(noted.said)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  window.test = {
    /** Waits for one of these states. */
    untilState: (...states) => until(() => states.includes(element()?.getAttribute('state')), `${states}`),
    untilEvents: (count) => until(() => noted.events.length >= count, `${count} events`),
    untilCameraOff: () =>
      until(() => tracks().every(({ readyState }) => readyState === 'ended'), 'the end of the camera'),
    notes: () => ({ ...noted, tracks: tracks().map(({ readyState }) => readyState) }),
    /** The element alone on this page, loaded by one script tag. */
    embed(attributes, apiKey) {
      const capture = document.createElement('bonafide-capture');
      for (const [name, value] of Object.entries(attributes)) capture.setAttribute(name, value);
      capture.headers = { 'x-api-key': apiKey };
      const main = document.createElement('main');
      main.append(capture);
      const script = document.createElement('script');
      script.type = 'module';
      script.src = '/capture.js';
      document.body.replaceChildren(main, script);
    },
    setKey(apiKey) {
      element().headers = { 'x-api-key': apiKey };
    },
    /** What in the element has the focus. */
    focused: () => element().shadowRoot.activeElement,
    /** As when the camera is unplugged; stopping a track tells nobody. */
    unplug: () => tracks()[0].dispatchEvent(new Event('ended')),
    leave: {
      'taken out': () => element().remove(),
      hidden() {
        element().hidden = true;
      },
      'left with its page'() {
        Object.defineProperty(document, 'hidden', { value: true });
        document.dispatchEvent(new Event('visibilitychange'));
      },
    },
    withoutWebGl() {
      const { getContext } = HTMLCanvasElement.prototype;
      HTMLCanvasElement.prototype.getContext = function (name, ...rest) {
        return name.startsWith('webgl') ? null : getContext.call(this, name, ...rest);
      };
    },
    async findings() {
      const { violations } = await axe.run();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
    },
  };
}
